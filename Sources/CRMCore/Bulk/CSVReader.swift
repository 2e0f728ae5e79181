/// What a file of comma-separated values has wrong with it, and where.
package struct CSVFailure: Error, Equatable, CustomStringConvertible {
    package let description: String
}

/// Takes comma-separated values (RFC 4180) apart as they arrive. Lines may end in any of the usual ways, and stand inside quotes.
/// Holds one row; or none, where only their number and whether they are whole is asked.
package struct CSVReader: Sendable {
    private enum State { case start, plain, quoted, quoteInQuoted }

    /// Bytes of one row: a quote that is never closed would otherwise swallow the file.
    private static let rowLimit = 4 << 20
    /// Empty lines are no rows, but a file of nothing else would be read for minutes.
    private static let emptyLimit = 100_000

    private let delimiter: UInt8
    private let keepsCells: Bool
    private var state = State.start
    private var cell: [UInt8] = []
    private var row: [String] = []
    /// Whether the row, or its cell, has anything yet.
    private var hasCells = false
    private var hasText = false
    private var size = 0
    private var afterReturn = false
    /// Rows seen, the header included.
    private var count = 0
    private var emptyLines = 0
    /// Whether any NUL has been seen at all: as a rule there is none to look for in each cell.
    private var mayHoldNUL = false

    /// `keepsCells`: rows are empty without it.
    package init(delimiter: UInt8, keepsCells: Bool = true) {
        self.delimiter = delimiter
        self.keepsCells = keepsCells
    }

    package mutating func feed(_ bytes: [UInt8]) throws(CSVFailure) -> [[String]] {
        var rows: [[String]] = []
        mayHoldNUL = mayHoldNUL || bytes.contains(0)
        var place = 0
        while place < bytes.count {
            let end = endOfRun(bytes, from: place)
            if end > place {
                try take(run: bytes[place..<end])
                place = end
            } else {
                if let row = try take(bytes[place]) { rows.append(row) }
                place += 1
            }
        }
        return rows
    }

    /// The last row, when no line end stands behind it.
    package mutating func finish() throws(CSVFailure) -> [String]? {
        if state == .quoted { throw CSVFailure(description: "row \(count + 1) has a quote that is not closed") }
        return !hasCells && state == .start ? nil : try endRow()
    }

    /// Where the bytes end that belong to the cell whatever they are.
    private func endOfRun(_ bytes: [UInt8], from start: Int) -> Int {
        bytes.withUnsafeBufferPointer { bytes in
            var place = start
            switch state {
            case .quoteInQuoted: break
            case .quoted: while place < bytes.count, bytes[place] != 0x22 { place += 1 }
            case .start, .plain:
                while place < bytes.count {
                    let byte = bytes[place]
                    guard byte != delimiter, byte != 0x22, byte != 0x0A, byte != 0x0D else { break }
                    place += 1
                }
            }
            return place
        }
    }

    private mutating func take(run: ArraySlice<UInt8>) throws(CSVFailure) {
        afterReturn = false
        if state == .start { state = .plain }
        size += run.count
        try checkSize()
        hasText = true
        // A cell that is only counted still has to be valid; all that is ASCII is.
        if keepsCells || mayHoldNUL || !cell.isEmpty || !run.allSatisfy({ $0 < 0x80 }) { cell.append(contentsOf: run) }
    }

    private mutating func take(_ byte: UInt8) throws(CSVFailure) -> [String]? {
        let isSecond = afterReturn && byte == 0x0A && state == .start && !hasCells
        afterReturn = false
        if isSecond { return nil }
        size += 1
        try checkSize()
        if state == .quoted {
            if byte == 0x22 { state = .quoteInQuoted } else { add(byte) }
            return nil
        }
        switch byte {
        case delimiter: try endCell()
        case 0x0A: return try endRow()
        case 0x0D:
            afterReturn = true
            return try endRow()
        case 0x22 where state == .start:
            // A cell that says it is empty is one, even alone in its line.
            hasText = true
            state = .quoted
        case 0x22 where state == .quoteInQuoted:
            add(byte)
            state = .quoted
        default:
            add(byte)
            state = .plain
        }
        return nil
    }

    private mutating func add(_ byte: UInt8) {
        cell.append(byte)
        hasText = true
    }

    private func checkSize() throws(CSVFailure) {
        guard size <= Self.rowLimit else { throw CSVFailure(description: "row \(count + 1) is longer than \(Self.rowLimit) bytes") }
    }

    private mutating func endCell() throws(CSVFailure) {
        hasCells = true
        hasText = false
        state = .start
        if !keepsCells, cell.isEmpty { return }
        guard let text = String(validating: cell, as: UTF8.self) else {
            throw CSVFailure(description: "row \(count + 1) is not valid in the file's character encoding")
        }
        guard !mayHoldNUL || !cell.contains(0) else { throw CSVFailure(description: "row \(count + 1) holds a NUL character") }
        if keepsCells { row.append(text) }
        cell.removeAll(keepingCapacity: true)
    }

    /// Empty lines are no rows.
    private mutating func endRow() throws(CSVFailure) -> [String]? {
        if !hasCells, !hasText {
            state = .start
            size = 0
            count += 1
            emptyLines += 1
            guard emptyLines <= Self.emptyLimit else { throw CSVFailure(description: "more than \(Self.emptyLimit) lines are empty") }
            return nil
        }
        try endCell()
        hasCells = false
        var ended: [String] = []
        // As many cells as this row has, the next one will have.
        ended.reserveCapacity(row.count)
        swap(&ended, &row)
        size = 0
        count += 1
        return ended
    }
}
