import CZlib

/// The CRC-32 that a zip keeps of each entry, made in pieces and joined.
package struct Checksum: Sendable, Equatable {
    package private(set) var value: UInt32

    package init(value: UInt32 = 0) { self.value = value }

    package mutating func add(_ bytes: [UInt8]) {
        value = bytes.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: crc32_z(UInt(value), $0.baseAddress, $0.count)) }
    }

    /// The checksum of this and, behind it, of `count` bytes that have another one.
    package func followed(by other: Checksum, count: Int64) -> Checksum {
        Checksum(value: UInt32(truncatingIfNeeded: crc32_combine(UInt(value), UInt(other.value), Int(count))))
    }
}
