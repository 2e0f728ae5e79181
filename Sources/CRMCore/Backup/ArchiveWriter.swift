import Glibc

/// Writes zips of at most a certain size, numbered, to files of its own in a folder. Blocks: for connection threads and job workers.
/// What is not finished is gone with it.
final class ArchiveWriter {
    /// A finished zip.
    struct Part: Sendable {
        let name: String
        let path: String
        let hash: ContentHash
        let size: Int64
    }

    /// A zip without its longer form lists 65,535 entries; our own reader takes so many.
    private static let entryLimit = 60_000

    private let folder: String
    private let name: String
    private let limit: Int64
    private var finished: [Part] = []
    /// How many zips there are, those finished by an earlier run included.
    private var count: Int
    private var open: OpenPart?
    private var entry: OpenEntry?

    init(folder: String, name: String, limit: Int64, after count: Int = 0) {
        self.folder = folder
        self.name = name
        self.limit = limit
        self.count = count
    }

    /// What the entry under way takes so far.
    var entrySize: Int64 { entry?.packedSize ?? 0 }

    func begin(_ name: String) throws { entry = try OpenEntry(name, path: newPath()) }

    func add(_ bytes: [UInt8]) throws { try entry?.add(bytes) }

    /// Puts the entry into the present zip, or into a new one when it does not fit.
    func end() throws {
        guard let whole = entry else { return }
        entry = nil
        try whole.finish()
        if let open, open.size + whole.packedSize > limit || open.entries >= Self.entryLimit { try finishPart() }
        let part = try open ?? OpenPart(path: newPath())
        open = part
        try part.add(whole)
    }

    /// A whole entry at once.
    func add(_ name: String, _ bytes: [UInt8]) throws {
        try begin(name)
        try add(bytes)
        try end()
    }

    func finish() throws -> [Part] {
        try finishPart()
        return takeFinished()
    }

    /// The zips that are full by now, for the caller to keep.
    func takeFinished() -> [Part] {
        defer { finished = [] }
        return finished
    }

    private func finishPart() throws {
        guard let part = open else { return }
        open = nil
        count += 1
        let number = String(count)
        let title = "\(name)_\(String(repeating: "0", count: max(0, 3 - number.count)))\(number).zip"
        finished.append(try part.finish(title))
    }

    private func newPath() -> String { "\(folder)/\(Spool.prefix)\(Secrets.hex(Secrets.randomBytes(16)))" }

    deinit { for part in finished { unlink(part.path) } }
}

/// An entry while it is compressed, in memory up to some size and in a file beyond: its sum and sizes are known before the zip has it.
private final class OpenEntry {
    private static let mostKept = 4 << 20

    let name: String
    private let path: String
    private let deflater: Deflater
    private var checksum = Checksum()
    private var plainSize: Int64 = 0
    private var kept: [UInt8] = []
    private var file: Descriptor?
    private var fileSize: Int64 = 0

    init(_ name: String, path: String) throws {
        self.name = name
        self.path = path
        deflater = try Deflater()
    }

    var packedSize: Int64 { fileSize + Int64(kept.count) }

    func add(_ bytes: [UInt8]) throws {
        checksum.add(bytes)
        plainSize += Int64(bytes.count)
        try take(try deflater.add(bytes))
    }

    func finish() throws { try take(try deflater.flush() + Deflater.end) }

    private func take(_ packed: [UInt8]) throws {
        kept += packed
        guard kept.count > Self.mostKept else { return }
        if file == nil { file = try Descriptor.create(path) }
        try file?.write(kept)
        fileSize += Int64(kept.count)
        kept = []
    }

    var zipEntry: ZipWriter.Entry { .init(name: name, checksum: checksum, packedSize: packedSize, plainSize: plainSize) }

    func copy(to write: ([UInt8]) throws -> Void) throws {
        var offset: Int64 = 0
        while offset < fileSize {
            let piece = try file?.read(at: offset, count: Int(min(1 << 20, fileSize - offset))) ?? []
            guard !piece.isEmpty else { throw FileFailure(description: "\(path) is not whole") }
            try write(piece)
            offset += Int64(piece.count)
        }
        try write(kept)
    }

    deinit { unlink(path) }
}

/// A zip that is being written.
private final class OpenPart {
    private let path: String
    private var file: Descriptor?
    private let digest = Digest()
    private var zip = ZipWriter()
    private(set) var size: Int64 = 0
    private(set) var entries = 0
    private var isKept = false

    init(path: String) throws {
        self.path = path
        file = try Descriptor.create(path)
    }

    func add(_ entry: OpenEntry) throws {
        try write(zip.begin(entry.zipEntry))
        try entry.copy { try write($0) }
        entries += 1
    }

    func finish(_ name: String) throws -> ArchiveWriter.Part {
        try write(zip.end())
        try file?.sync()
        file = nil
        guard let hash = ContentHash(digest.finish()) else { throw FileFailure(description: "no digest was made") }
        isKept = true
        return ArchiveWriter.Part(name: name, path: path, hash: hash, size: size)
    }

    private func write(_ bytes: [UInt8]) throws {
        try file?.write(bytes)
        digest.add(bytes)
        size += Int64(bytes.count)
    }

    deinit { if !isKept { unlink(path) } }
}
