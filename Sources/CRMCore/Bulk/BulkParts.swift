import SQLStore
import Wire

/// A piece of one entry of a result: compressed, and whole in itself.
struct BulkPart: Sendable {
    let checksum: Checksum
    let plainSize: Int64
    let packedSize: Int64
    /// Where its bytes are: small ones in the row, large ones in a file.
    let place: Place

    enum Place: Sendable {
        case row([UInt8])
        case file(RecordID)
        case none
    }

    /// Compresses a small text.
    init(_ text: [UInt8]) throws {
        var checksum = Checksum()
        checksum.add(text)
        let deflater = try Deflater()
        let packed = try deflater.add(text) + deflater.flush()
        self.init(checksum: checksum, plainSize: Int64(text.count), packedSize: Int64(packed.count), place: .row(packed))
    }

    init(checksum: Checksum, plainSize: Int64, packedSize: Int64, place: Place) {
        self.checksum = checksum
        self.plainSize = plainSize
        self.packedSize = packedSize
        self.place = place
    }
}

/// The pieces of results that are not complete yet.
enum BulkParts {
    /// Two workers that both take the job for theirs collide here.
    static func add(_ part: BulkPart, _ number: Int, of job: RecordID, entry: Int, _ tx: Transaction) throws {
        var bytes = SQLValue.null
        var file = SQLValue.null
        switch part.place {
        case .row(let packed): bytes = .blob(packed)
        case .file(let id): file = .integer(id.raw)
        case .none: break
        }
        try tx.insert(
            into: "sys_bulk_part", ["job_id", "entry", "number", "checksum", "plain_size", "packed_size", "bytes", "file_id"],
            rows: [
                [
                    .integer(job.raw), .integer(Int64(entry)), .integer(Int64(number)), .integer(Int64(part.checksum.value)),
                    .integer(part.plainSize), .integer(part.packedSize), bytes, file,
                ]
            ])
    }

    /// Removes what jobs have collected; its files go with the next sweep.
    static func drop(_ jobs: [Int64], now: Instant, _ tx: Transaction) throws {
        let files = try tx.rows("SELECT file_id FROM sys_bulk_part WHERE \(.memberIDs("job_id", jobs)) AND file_id IS NOT NULL") {
            $0.integer(0) ?? 0
        }
        if !files.isEmpty { try tx.execute("UPDATE sys_file SET expires_at = \(now) WHERE \(.memberIDs("id", files))") }
        try tx.execute("DELETE FROM sys_bulk_part WHERE \(.memberIDs("job_id", jobs))")
        try tx.execute("DELETE FROM sys_bulk_key WHERE \(.memberIDs("job_id", jobs))")
    }

    /// The pieces of an entry in order, without their bytes.
    static func list(_ job: RecordID, entry: Int, _ tx: Transaction) throws -> [(number: Int64, part: BulkPart)] {
        try tx.rows(
            """
            SELECT number, checksum, plain_size, packed_size, file_id FROM sys_bulk_part WHERE job_id = \(job) AND entry = \(.integer(Int64(entry)))
            ORDER BY number
            """
        ) { row in
            (
                row.integer(0) ?? 0,
                BulkPart(
                    checksum: Checksum(value: UInt32(truncatingIfNeeded: row.integer(1) ?? 0)), plainSize: row.integer(2) ?? 0,
                    packedSize: row.integer(3) ?? 0, place: row.integer(4).map { .file(RecordID(raw: $0)) } ?? .none)
            )
        }
    }

    static func bytes(_ job: RecordID, entry: Int, _ number: Int64, _ tx: Transaction) throws -> [UInt8] {
        try tx.first(
            """
            SELECT bytes FROM sys_bulk_part WHERE job_id = \(job) AND entry = \(.integer(Int64(entry))) AND number = \(.integer(number))
            """
        ) { $0.blob(0) ?? [] } ?? []
    }
}
