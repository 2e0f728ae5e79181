import SQLStore
import Wire

/// Puts the pieces of a job together to the zip people download. Holds one piece in memory at a time.
struct BulkResult {
    private let services: Services
    private let job: RecordID

    init(_ services: Services, _ job: RecordID) {
        self.services = services
        self.job = job
    }

    /// `entries` are the names of the files inside, by the numbers of their pieces.
    func zip(_ entries: [String]) async throws -> FileLibrary.Kept {
        let spool = services.files.spool()
        var zip = ZipWriter()
        let job = job
        for (entry, name) in entries.enumerated() {
            let parts = try await services.database.run(.read) { tx in try BulkParts.list(job, entry: entry, tx) }
            let end = Deflater.end
            let packed = parts.reduce(Int64(end.count)) { $0 + $1.part.packedSize }
            let checksum = parts.reduce(Checksum()) { $0.followed(by: $1.part.checksum, count: $1.part.plainSize) }
            let plain = parts.reduce(Int64(0)) { $0 + $1.part.plainSize }
            try await spool.append(zip.begin(.init(name: name, checksum: checksum, packedSize: packed, plainSize: plain)))
            for (number, part) in parts { try await copy(part, entry, number, to: spool) }
            try await spool.append(end)
        }
        try await spool.append(zip.end())
        return try await services.files.keep(spool, named: "\(job).zip")
    }

    private func copy(_ part: BulkPart, _ entry: Int, _ number: Int64, to spool: Spool) async throws {
        let job = job
        guard case .file(let id) = part.place else {
            let bytes = try await services.database.run(.read) { tx in try BulkParts.bytes(job, entry: entry, number, tx) }
            return try await spool.append(bytes)
        }
        guard let file = try await services.files.file(id) else { throw BulkPartLost() }
        for try await bytes in services.files.bytes(of: file) { try await spool.append(bytes) }
    }
}

/// A piece of a result is gone: the job lay still for too long.
struct BulkPartLost: Error {}
