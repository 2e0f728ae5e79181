/// Reads a zip that somebody sent: its list of entries, and each entry piece by piece. Nothing the file says about itself is
/// believed: sizes are counted while unpacking, and offsets stay inside the file.
package struct ZipReader: Sendable {
    /// Bytes of the file: fewer only at its end.
    package typealias Source = @Sendable (_ offset: Int64, _ count: Int) async throws -> [UInt8]

    package struct Entry: Sendable, Equatable {
        package let name: String
        package let packedSize: Int64
        package let plainSize: Int64
        fileprivate let method: Int
        fileprivate let flags: Int
        fileprivate let offset: Int64
        fileprivate let checksum: UInt32
    }

    /// Entries one zip may list, and bytes its list may take.
    package static let entryLimit = 1_000, listLimit: Int64 = 1 << 20
    private static let piece = 64 << 10
    /// What is unpacked at once: deflate makes a thousand times as much of it, at most.
    private static let morsel = 4 << 10

    package let entries: [Entry]
    private let size: Int64
    private let source: Source

    /// Throws `ZipFailure` for what is no zip, or a kind of zip that is not read here.
    package init(
        size: Int64, entryLimit: Int = Self.entryLimit, listLimit: Int64 = Self.listLimit, _ source: @escaping Source
    ) async throws {
        self.size = size
        self.source = source
        let list = try await Self.list(size, entryLimit, listLimit, source)
        entries = try Self.entries(list.bytes, list.count)
    }

    /// The central directory, found from the end of the file.
    private static func list(_ size: Int64, _ entryLimit: Int, _ listLimit: Int64, _ source: Source) async throws -> (
        bytes: [UInt8], count: Int
    ) {
        // The last record has 22 bytes and a comment behind it.
        let length = min(size, 22 + 65_535)
        let tail = try await source(size - length, Int(length))
        guard tail.count >= 22, let place = (0...tail.count - 22).last(where: { tail.little4($0) == 0x0605_4B50 }) else {
            throw ZipFailure("it is not a zip")
        }
        let count = Int(tail.little2(place + 10))
        let listSize = Int64(tail.little4(place + 12))
        let offset = Int64(tail.little4(place + 16))
        guard tail.little2(place + 4) == 0, tail.little2(place + 8) == UInt64(count) else { throw ZipFailure("it is in several parts") }
        guard count <= entryLimit, listSize <= listLimit else { throw ZipFailure("it has too many entries") }
        guard offset + listSize <= size else { throw ZipFailure("its list of entries is damaged") }
        let bytes = try await source(offset, Int(listSize))
        guard bytes.count == Int(listSize) else { throw ZipFailure("its list of entries is damaged") }
        return (bytes, count)
    }

    private static func entries(_ list: [UInt8], _ count: Int) throws -> [Entry] {
        var entries: [Entry] = []
        var place = 0
        for _ in 0..<count {
            guard place + 46 <= list.count, list.little4(place) == 0x0201_4B50 else { throw ZipFailure("its list of entries is damaged") }
            let nameLength = Int(list.little2(place + 28))
            let next = place + 46 + nameLength + Int(list.little2(place + 30)) + Int(list.little2(place + 32))
            guard next <= list.count else { throw ZipFailure("its list of entries is damaged") }
            entries.append(
                Entry(
                    name: String(decoding: list[(place + 46)..<(place + 46 + nameLength)], as: UTF8.self),
                    packedSize: Int64(list.little4(place + 20)), plainSize: Int64(list.little4(place + 24)),
                    method: Int(list.little2(place + 10)), flags: Int(list.little2(place + 8)), offset: Int64(list.little4(place + 42)),
                    checksum: UInt32(list.little4(place + 16))))
            place = next
        }
        return entries
    }

    /// Files somebody meant to send: no folders, and nothing a Mac adds by itself.
    package var files: [Entry] {
        entries.filter { entry in
            let last = entry.name.split(separator: "/").last ?? ""
            return !entry.name.hasSuffix("/") && !entry.name.hasPrefix("__MACOSX/") && last != ".DS_Store"
        }
    }

    /// Unpacks an entry of at most `limit` bytes. `each` returns whether it wants more; who stops early gets no check of the sum.
    package func unpack(_ entry: Entry, limit: Int64, each: ([UInt8]) async throws -> Bool) async throws {
        guard entry.flags & 1 == 0 else { throw ZipFailure("\(entry.name) is encrypted") }
        guard entry.plainSize <= limit else { throw ZipFailure("\(entry.name) is larger than \(limit) bytes") }
        guard entry.method == 0 || entry.method == 8 else { throw ZipFailure("\(entry.name) is packed in a way that is not read here") }
        var place = try await content(of: entry)
        guard entry.packedSize <= size - place else { throw ZipFailure("\(entry.name) is cut off") }
        let end = place + entry.packedSize
        let inflater = entry.method == 8 ? try Inflater() : nil
        var checksum = Checksum()
        var count: Int64 = 0
        while place < end {
            try Task.checkCancellation()
            let bytes = try await source(place, Int(min(Int64(Self.piece), end - place)))
            guard !bytes.isEmpty else { throw ZipFailure("\(entry.name) is cut off") }
            place += Int64(bytes.count)
            for start in stride(from: 0, to: bytes.count, by: Self.morsel) {
                var plain: [[UInt8]] = []
                func take(_ piece: [UInt8]) throws(ZipFailure) {
                    count += Int64(piece.count)
                    guard count <= limit else { throw ZipFailure("\(entry.name) is larger than \(limit) bytes") }
                    plain.append(piece)
                }
                let morsel = Array(bytes[start..<min(start + Self.morsel, bytes.count)])
                if let inflater { try inflater.add(morsel) { try take($0) } } else { try take(morsel) }
                for piece in plain {
                    checksum.add(piece)
                    guard try await each(piece) else { return }
                }
            }
        }
        guard inflater?.isAtEnd ?? true, checksum.value == entry.checksum, count == entry.plainSize else {
            throw ZipFailure("\(entry.name) is damaged")
        }
    }

    /// Where the content begins, behind a header of its own.
    private func content(of entry: Entry) async throws -> Int64 {
        let header = try await source(entry.offset, 30)
        guard header.count == 30, header.little4(0) == 0x0403_4B50 else { throw ZipFailure("\(entry.name) is not where the zip says") }
        let place = entry.offset + 30 + Int64(header.little2(26)) + Int64(header.little2(28))
        guard place <= size else { throw ZipFailure("\(entry.name) is cut off") }
        return place
    }
}

extension [UInt8] {
    fileprivate func little2(_ place: Int) -> UInt64 { UInt64(self[place]) | UInt64(self[place + 1]) << 8 }
    fileprivate func little4(_ place: Int) -> UInt64 { little2(place) | little2(place + 2) << 16 }
}
