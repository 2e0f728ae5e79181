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

    private var text: CSVText

    init(capacity: Int = 4096) { text = CSVText(capacity: capacity) }

    var bytes: [UInt8] { text.bytes }

    mutating func cell(_ row: borrowing Row, _ column: Int, _ form: Form) {
        switch form {
        case .plain(.text):
            if let value = row.utf8(column) { text.cell(value, quotingEmpty: true) } else { text.empty() }
        case .plain(.integer): plain(row.integer(column).map { String($0) })
        // The shortest digits that read back as the same number.
        case .plain(.real): plain(row.real(column)?.description)
        case .plain(.blob): plain(row.blob(column).map { "x" + Secrets.hex($0) })
        case .instant: plain(row.integer(column).map { Self.shown(Instant(milliseconds: $0)) })
        }
    }

    mutating func cell(_ text: String) { self.text.cell(text, quotingEmpty: true) }
    mutating func endLine() { text.endLine() }
    mutating func take() -> [UInt8] { text.take() }

    private mutating func plain(_ shown: String?) {
        if let shown { text.plain(shown) } else { text.empty() }
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
