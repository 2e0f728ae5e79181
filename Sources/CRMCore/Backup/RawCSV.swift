import SQLStore
import Wire

/// Comma-separated values of which nothing is lost: an empty cell is no value, two quotes are an empty text.
struct RawCSV {
    /// How a column's values are written.
    enum Form: Sendable {
        case plain(ColumnType)
        /// Milliseconds, shown as a time.
        case instant
    }

    private(set) var bytes: [UInt8] = []
    private var isLineStart = true

    init(capacity: Int = 4096) { bytes.reserveCapacity(capacity) }

    mutating func cell(_ row: borrowing Row, _ column: Int, _ form: Form) {
        next()
        switch form {
        case .plain(.text): if let text = row.utf8(column) { quoted(text) }
        case .plain(.integer): if let number = row.integer(column) { bytes += String(number).utf8 }
        // The shortest digits that read back as the same number.
        case .plain(.real): if let number = row.real(column) { bytes += number.description.utf8 }
        case .plain(.blob): if let blob = row.blob(column) { bytes += ("x" + Secrets.hex(blob)).utf8 }
        case .instant: if let number = row.integer(column) { bytes += Self.shown(Instant(milliseconds: number)).utf8 }
        }
    }

    mutating func cell(_ text: String) {
        next()
        var text = text
        text.withUTF8 { quoted($0) }
    }

    mutating func endLine() {
        bytes += [0x0D, 0x0A]
        isLineStart = true
    }

    mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    static func line(_ cells: [String]) -> [UInt8] {
        var text = RawCSV()
        for cell in cells { text.cell(cell) }
        text.endLine()
        return text.bytes
    }

    /// The value of a cell; `nil` for what no value of that form looks like.
    static func value(_ text: String?, _ form: Form) -> SQLValue? {
        guard let text else { return .null }
        switch form {
        case .plain(.text): return .text(text)
        case .plain(.integer): return Int64(text).map(SQLValue.integer)
        case .plain(.real): return Double(text).map(SQLValue.real)
        case .plain(.blob): return text.hasPrefix("x") ? Secrets.bytes(hex: String(text.dropFirst())).map(SQLValue.blob) : nil
        case .instant: return (Int64(text) ?? Instant(iso: text)?.milliseconds).map(SQLValue.integer)
        }
    }

    /// As the API shows times, with the fraction the API leaves out; a number where the years go beyond that.
    private static func shown(_ instant: Instant) -> String {
        let fraction = ((instant.milliseconds % 1000) + 1000) % 1000
        var text = instant.iso(offsetMinutes: 0)
        if fraction > 0 {
            let digits = String(fraction)
            text = text.prefix(19) + "." + String(repeating: "0", count: 3 - digits.count) + digits + text.dropFirst(19)
        }
        return Instant(iso: text) == instant ? text : String(instant.milliseconds)
    }

    private mutating func next() {
        if !isLineStart { bytes.append(0x2C) }
        isLineStart = false
    }

    private mutating func quoted(_ text: UnsafeBufferPointer<UInt8>) {
        guard text.isEmpty || text.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) else {
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
}

/// Takes such a text apart as it comes.
struct RawCSVReader {
    struct Malformed: Error {}

    private var cells: [String?] = []
    private var cell: [UInt8] = []
    private var wasQuoted = false
    private var isQuoted = false
    /// A quote inside quotes: the end of them, or the first half of a quote.
    private var sawQuote = false

    /// Hands out the lines that end in these bytes.
    mutating func feed(_ bytes: [UInt8], _ line: ([String?]) throws -> Void) throws {
        for byte in bytes {
            if isQuoted, !sawQuote {
                if byte == 0x22 { sawQuote = true } else { cell.append(byte) }
                continue
            }
            if sawQuote {
                sawQuote = false
                if byte == 0x22 {
                    cell.append(byte)
                    continue
                }
                isQuoted = false
            }
            switch byte {
            case 0x22:
                guard cell.isEmpty, !wasQuoted else { throw Malformed() }
                isQuoted = true
                wasQuoted = true
            case 0x2C: try endCell()
            case 0x0D: continue
            case 0x0A:
                try endCell()
                try line(cells)
                cells.removeAll(keepingCapacity: true)
            default: cell.append(byte)
            }
        }
    }

    /// Every line has an end, so nothing may be left.
    func finish() throws { guard cells.isEmpty, cell.isEmpty, !wasQuoted else { throw Malformed() } }

    private mutating func endCell() throws {
        if cell.isEmpty, !wasQuoted {
            cells.append(nil)
        } else {
            guard let text = String(validating: cell, as: UTF8.self) else { throw Malformed() }
            cells.append(text)
        }
        cell.removeAll(keepingCapacity: true)
        wasQuoted = false
    }
}
