import CLibPQ
import Glibc

/// One value of a PostgreSQL result in text form, read where libpq keeps it.
struct PostgresCell {
    /// Ends in a NUL, as libpq promises.
    private let start: UnsafePointer<CChar>
    let count: Int

    /// Nil when the value is null, or the column is not there.
    init?(_ result: OpaquePointer, _ row: Int32, _ column: Int32) {
        guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return nil }
        self.start = UnsafePointer(start)
        count = Int(PQgetlength(result, row, column))
    }

    var utf8: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count: count)
    }

    /// Digits up to the first other character; a boolean as 1 or 0. SQLite reads its values in the same way.
    var integer: Int64 {
        var bytes = utf8[...]
        let first = bytes.first
        if first == UInt8(ascii: "t") { return 1 }
        if first == UInt8(ascii: "-") { bytes = bytes.dropFirst() }
        // Counted downwards: the least integer has no positive twin.
        var value: Int64 = 0
        for byte in bytes {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value &* 10 &- Int64(digit)
        }
        return first == UInt8(ascii: "-") ? value : 0 &- value
    }

    var real: Double { strtod(start, nil) }

    /// The server writes bytea as `\x` and two digits a byte (`bytea_output = hex`); libpq turns it back.
    var blob: [UInt8] {
        var length = 0
        guard let bytes = PQunescapeBytea(UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), &length) else { return [] }
        defer { PQfreemem(bytes) }
        return Array(UnsafeBufferPointer(start: bytes, count: length))
    }
}
