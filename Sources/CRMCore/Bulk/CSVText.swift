import Wire

/// Lines of comma-separated values (RFC 4180) in a growing buffer.
struct CSVText {
    private(set) var bytes: [UInt8] = []
    private var isLineStart = true

    init(capacity: Int = 1024) { bytes.reserveCapacity(capacity) }

    /// With `quotingEmpty` an empty text is two quotes, so that it differs from an empty cell.
    mutating func cell(_ text: String, quotingEmpty: Bool = false) {
        var text = text
        text.withUTF8 { cell($0, quotingEmpty: quotingEmpty) }
    }

    mutating func cell(_ text: UnsafeBufferPointer<UInt8>, quotingEmpty: Bool = false) {
        next()
        guard quotingEmpty && text.isEmpty || text.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) else {
            bytes.append(contentsOf: text)
            return
        }
        bytes.append(0x22)
        for byte in text {
            if byte == 0x22 { bytes.append(0x22) }
            bytes.append(byte)
        }
        bytes.append(0x22)
    }

    /// A value that needs no quotes.
    mutating func plain(_ text: String) {
        next()
        bytes.append(contentsOf: text.utf8)
    }

    mutating func empty() { next() }

    mutating func endLine() {
        bytes += [0x0D, 0x0A]
        isLineStart = true
    }

    /// Hands out what has come together, to be written away.
    mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    private mutating func next() {
        if !isLineStart { bytes.append(0x2C) }
        isLineStart = false
    }

    static func line(_ cells: [String]) -> [UInt8] {
        var text = CSVText()
        for cell in cells { text.cell(cell) }
        text.endLine()
        return text.bytes
    }
}
