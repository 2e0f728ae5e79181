/// What a file of comma-separated values has wrong with it, and where.
package struct CSVFailure: Error, Equatable, CustomStringConvertible {
    package let description: String
}

/// Takes comma-separated values (RFC 4180) apart as they arrive. Lines may end in any of the usual ways, and stand inside quotes.
/// Holds one row.
package struct CSVReader: Sendable {
    private enum State { case start, plain, quoted, quoteInQuoted }

    /// Bytes of one row: a quote that is never closed would otherwise swallow the file.
    private static let rowLimit = 4 << 20

    private let delimiter: UInt8
    private var state = State.start
    private var cell: [UInt8] = []
    private var row: [String] = []
    private var size = 0
    private var afterReturn = false
    /// Rows seen, the header included.
    private var count = 0

    package init(delimiter: UInt8) { self.delimiter = delimiter }

    package mutating func feed(_ bytes: [UInt8]) throws(CSVFailure) -> [[String]] {
        var rows: [[String]] = []
        for byte in bytes { if let row = try take(byte) { rows.append(row) } }
        return rows
    }

    /// The last row, when no line end stands behind it.
    package mutating func finish() throws(CSVFailure) -> [String]? {
        if state == .quoted { throw CSVFailure(description: "row \(count + 1) has a quote that is not closed") }
        return row.isEmpty && state == .start ? nil : try endRow()
    }

    private mutating func take(_ byte: UInt8) throws(CSVFailure) -> [String]? {
        let isSecond = afterReturn && byte == 0x0A && state == .start && row.isEmpty
        afterReturn = false
        if isSecond { return nil }
        size += 1
        guard size <= Self.rowLimit else { throw CSVFailure(description: "row \(count + 1) is longer than \(Self.rowLimit) bytes") }
        if state == .quoted {
            if byte == 0x22 { state = .quoteInQuoted } else { cell.append(byte) }
            return nil
        }
        switch byte {
        case delimiter: try endCell()
        case 0x0A: return try endRow()
        case 0x0D:
            afterReturn = true
            return try endRow()
        case 0x22 where state == .start: state = .quoted
        case 0x22 where state == .quoteInQuoted:
            cell.append(byte)
            state = .quoted
        default:
            cell.append(byte)
            state = .plain
        }
        return nil
    }

    private mutating func endCell() throws(CSVFailure) {
        guard let text = String(validating: cell, as: UTF8.self) else {
            throw CSVFailure(description: "row \(count + 1) is not valid in the file's character encoding")
        }
        guard !cell.contains(0) else { throw CSVFailure(description: "row \(count + 1) holds a NUL character") }
        row.append(text)
        cell.removeAll(keepingCapacity: true)
        state = .start
    }

    /// Empty lines are no rows.
    private mutating func endRow() throws(CSVFailure) -> [String]? {
        try endCell()
        let ended = row
        row = []
        size = 0
        count += 1
        return ended == [""] ? nil : ended
    }
}
