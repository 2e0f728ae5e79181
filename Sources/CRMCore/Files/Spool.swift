import Glibc

/// A content on its way in: written to a file under a name nobody gave, hashed as it comes. What is not put away is gone with it.
package actor Spool {
    private nonisolated let thread = FileThread()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// How the files in a spool folder are known from others.
    static let prefix = "tributary-upload-"

    package nonisolated let path: String
    private var file: Descriptor?
    private let digest = Digest()
    private var hash: ContentHash?
    private var adopted = false
    package private(set) var size: Int64 = 0

    package init(in folder: String) { path = "\(folder)/\(Self.prefix)\(Secrets.hex(Secrets.randomBytes(16)))" }

    /// A file that is written already, flushed and hashed.
    init(at path: String, hash: ContentHash, size: Int64) throws {
        self.path = path
        self.hash = hash
        self.size = size
        file = try Descriptor.existing(path)
    }

    deinit { if !adopted { unlink(path) } }

    package func append(_ bytes: [UInt8]) throws {
        if file == nil { file = try Descriptor.create(path) }
        try file?.write(bytes)
        digest.add(bytes)
        size += Int64(bytes.count)
    }

    /// Makes what came durable and names it. Asking twice is harmless.
    func finish() throws -> ContentHash {
        if let hash { return hash }
        if file == nil { file = try Descriptor.create(path) }
        try file?.sync()
        guard let made = ContentHash(digest.finish()) else { throw FileFailure(description: "no digest was made") }
        hash = made
        return made
    }

    package func read(at offset: Int64, count: Int) throws -> [UInt8] { try file?.read(at: offset, count: count) ?? [] }

    /// Gives the file a place of its own; afterwards the spool holds nothing.
    func move(to place: String) throws {
        guard rename(path, place) == 0 else { throw FileFailure.last("cannot rename to \(place)") }
        adopted = true
        file = nil
    }
}

/// An open file, closed when nobody has it any more.
struct Descriptor: ~Copyable {
    private let number: Int32

    private init(_ number: Int32) { self.number = number }

    /// A new file, readable by its owner only.
    static func create(_ path: String) throws -> Descriptor {
        let number = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw FileFailure.last("cannot create \(path)") }
        return Descriptor(number)
    }

    /// `nil` when there is no such file.
    static func existing(_ path: String) throws -> Descriptor? {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else {
            if errno == ENOENT { return nil }
            throw FileFailure.last("cannot open \(path)")
        }
        return Descriptor(number)
    }

    func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(number, buffer.baseAddress?.advanced(by: done), buffer.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw FileFailure.last("cannot write") }
                done += count
            }
        }
    }

    func size() throws -> Int64 {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw FileFailure.last("cannot look at a file") }
        return Int64(status.st_size)
    }

    func sync() throws { guard fsync(number) == 0 else { throw FileFailure.last("cannot sync") } }

    /// Fewer bytes only at the end of the file.
    func read(at offset: Int64, count: Int) throws -> [UInt8] {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(number, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(offset) + off_t(filled))
                if got < 0, errno == EINTR { continue }
                failed = got < 0
                if got <= 0 { break }
                filled += got
            }
        }
        if failed { throw FileFailure.last("cannot read") }
        return bytes
    }

    deinit { close(number) }
}

extension FileFailure {
    static func last(_ what: String) -> FileFailure { FileFailure(description: "\(what): \(String(cString: strerror(errno)))") }
}
