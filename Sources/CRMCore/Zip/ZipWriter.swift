/// Writes the parts of a zip that are not contents. Everything about an entry is known before it is written, so nothing needs to
/// be mended afterwards. Sizes and offsets of 4 GB and more take the longer form (zip64).
package struct ZipWriter: Sendable {
    package struct Entry: Sendable {
        package let name: String
        package let checksum: Checksum
        package let packedSize: Int64
        package let plainSize: Int64

        package init(name: String, checksum: Checksum, packedSize: Int64, plainSize: Int64) {
            self.name = name
            self.checksum = checksum
            self.packedSize = packedSize
            self.plainSize = plainSize
        }

        fileprivate var isLong: Bool { packedSize >= ZipWriter.long || plainSize >= ZipWriter.long }
    }

    private static let long: Int64 = 0xFFFF_FFFF
    private var entries: [(entry: Entry, offset: Int64)] = []
    private var offset: Int64 = 0

    package init() {}

    /// What stands before the entry's content, which must follow.
    package mutating func begin(_ entry: Entry) -> [UInt8] {
        var bytes = Little()
        bytes.add4(0x0403_4B50)
        common(entry, &bytes)
        bytes.add2(entry.isLong ? 20 : 0)
        bytes.bytes += Array(entry.name.utf8)
        if entry.isLong {
            bytes.add2(1)
            bytes.add2(16)
            bytes.add8(entry.plainSize)
            bytes.add8(entry.packedSize)
        }
        entries.append((entry, offset))
        offset += Int64(bytes.bytes.count) + entry.packedSize
        return bytes.bytes
    }

    /// What stands behind the last content.
    package func end() -> [UInt8] {
        var bytes = Little()
        for (entry, offset) in entries { add(entry, offset, &bytes) }
        let size = Int64(bytes.bytes.count)
        if offset >= Self.long || size >= Self.long {
            let place = offset + size
            bytes.add4(0x0606_4B50)
            bytes.add8(44)
            bytes.add2(45)
            bytes.add2(45)
            bytes.add4(0)
            bytes.add4(0)
            for number in [Int64(entries.count), Int64(entries.count), size, offset] { bytes.add8(number) }
            bytes.add4(0x0706_4B50)
            bytes.add4(0)
            bytes.add8(place)
            bytes.add4(1)
        }
        bytes.add4(0x0605_4B50)
        bytes.add4(0)
        bytes.add2(entries.count)
        bytes.add2(entries.count)
        bytes.add4(min(size, Self.long))
        bytes.add4(min(offset, Self.long))
        bytes.add2(0)
        return bytes.bytes
    }

    /// From the version needed to the length of the name. The names are UTF-8 (flag 11); the day is the format's first.
    private func common(_ entry: Entry, _ bytes: inout Little) {
        bytes.add2(entry.isLong ? 45 : 20)
        bytes.add2(1 << 11)
        bytes.add2(8)
        bytes.add2(0)
        bytes.add2(0x21)
        bytes.add4(Int64(entry.checksum.value))
        bytes.add4(entry.isLong ? Self.long : entry.packedSize)
        bytes.add4(entry.isLong ? Self.long : entry.plainSize)
        bytes.add2(entry.name.utf8.count)
    }

    private func add(_ entry: Entry, _ offset: Int64, _ bytes: inout Little) {
        let isFar = offset >= Self.long
        bytes.add4(0x0201_4B50)
        bytes.add2(entry.isLong || isFar ? 45 : 20)
        common(entry, &bytes)
        let extra = (entry.isLong ? 16 : 0) + (isFar ? 8 : 0)
        bytes.add2(extra > 0 ? extra + 4 : 0)
        bytes.add2(0)
        bytes.add4(0)
        bytes.add4(0)
        bytes.add4(min(offset, Self.long))
        bytes.bytes += Array(entry.name.utf8)
        guard extra > 0 else { return }
        bytes.add2(1)
        bytes.add2(extra)
        if entry.isLong {
            bytes.add8(entry.plainSize)
            bytes.add8(entry.packedSize)
        }
        if isFar { bytes.add8(offset) }
    }

    /// Numbers as zips hold them, the lowest byte first.
    private struct Little {
        var bytes: [UInt8] = []
        mutating func add2(_ value: Int) { add(Int64(value), 2) }
        mutating func add4(_ value: Int64) { add(value, 4) }
        mutating func add8(_ value: Int64) { add(value, 8) }
        private mutating func add(_ value: Int64, _ count: Int) {
            for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> Int64(8 * index))) }
        }
    }
}
