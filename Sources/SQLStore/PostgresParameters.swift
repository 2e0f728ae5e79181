import CLibPQ

/// The values of one statement in text form, one after the other in one piece of memory.
struct PostgresParameters {
    private var bytes: [UInt8] = []
    /// Where each value starts; nil is null.
    private var starts: [Int?] = []
    /// What each value is; 0 where it is null, or where the server shall infer it.
    private(set) var types: [Oid] = []

    var count: Int { starts.count }

    init(_ values: some Collection<SQLValue>, arrays: [Int: ColumnType] = [:]) throws(DriverFailure) {
        bytes.reserveCapacity(values.count * 16)
        starts.reserveCapacity(values.count)
        types.reserveCapacity(values.count)
        for value in values {
            try append(value, arrayOf: arrays.isEmpty ? nil : arrays[starts.count])
        }
    }

    /// Rows one after the other. All types are left to the server, which takes them from the columns.
    init(rows: ArraySlice<[SQLValue]>, _ places: [Int]) throws(DriverFailure) {
        bytes.reserveCapacity(rows.count * places.count * 16)
        starts.reserveCapacity(rows.count * places.count)
        for row in rows {
            for place in places { try append(row[place], arrayOf: nil) }
        }
        types = [Oid](repeating: 0, count: starts.count)
    }

    /// The arguments of libpq's functions, valid inside `body`.
    func withPointers<T>(_ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> T) -> T {
        bytes.withUnsafeBytes { memory in
            let base = memory.baseAddress?.assumingMemoryBound(to: CChar.self)
            return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: max(1, starts.count)) { pointers in
                for (index, start) in starts.enumerated() { pointers[index] = start.flatMap { base?.advanced(by: $0) } }
                return body(UnsafePointer(pointers.baseAddress))
            }
        }
    }

    private mutating func append(_ value: SQLValue, arrayOf element: ColumnType?) throws(DriverFailure) {
        starts.append(value.isNull ? nil : bytes.count)
        switch value {
        case .null: types.append(0)
        case .integer(let integer):
            append(integer)
            types.append(Self.int8)
        case .real(let real):
            // Whole ones without a point, so that a column of integers takes them as SQLite's does.
            bytes.append(contentsOf: RealText.text(real).utf8)
            types.append(Self.float8)
        case .text(let text):
            let start = bytes.count
            bytes.append(contentsOf: text.utf8)
            if bytes[start...].contains(0) { throw .nulInText }
            types.append(element.map { $0 == .integer ? Self.int8Array : Self.textArray } ?? Self.text)
        case .blob(let blob):
            bytes += [UInt8(ascii: "\\"), UInt8(ascii: "x")]
            for byte in blob {
                bytes.append(Self.digits[Int(byte >> 4)])
                bytes.append(Self.digits[Int(byte & 15)])
            }
            types.append(Self.bytea)
        }
        bytes.append(0)
    }

    private mutating func append(_ integer: Int64) {
        if integer < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        var rest = integer.magnitude
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    private static let digits = Array("0123456789abcdef".utf8)

    // From the server's pg_type.dat; they never change.
    private static let bytea: Oid = 17
    private static let int8: Oid = 20
    private static let text: Oid = 25
    private static let float8: Oid = 701
    private static let textArray: Oid = 1009
    private static let int8Array: Oid = 1016
}
