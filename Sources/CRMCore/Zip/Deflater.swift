import CZlib

/// zlib had no memory, or was handed what it cannot read.
package struct ZipFailure: Error, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Compresses bytes as the entries of a zip hold them. What lies between two flushes stands for itself: such pieces may be kept
/// apart and written one behind another, as long as `Deflater.end` comes last. A class because zlib keeps its address.
final class Deflater {
    /// An empty last block.
    static let end: [UInt8] = [0x03, 0x00]
    /// Half the size that level 1 leaves costs twice its time; 6, zlib's own choice, costs five times.
    private static let level: Int32 = 3

    private let stream: UnsafeMutablePointer<z_stream>

    init() throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard tributary_deflate_begin(stream, Self.level) == Z_OK else { throw ZipFailure("no memory to compress with") }
    }

    func add(_ bytes: [UInt8]) throws -> [UInt8] { try run(bytes, Z_NO_FLUSH) }

    /// Everything that is held back. What follows refers to nothing before it.
    func flush() throws -> [UInt8] { try run([], Z_FULL_FLUSH) }

    private func run(_ bytes: [UInt8], _ flush: Int32) throws -> [UInt8] {
        var result: [UInt8] = []
        var input = bytes
        let count = input.count
        try input.withUnsafeMutableBufferPointer { buffer in
            stream.pointee.next_in = buffer.baseAddress
            stream.pointee.avail_in = UInt32(count)
            var isFull = true
            while isFull || stream.pointee.avail_in > 0 {
                let piece = try [UInt8](unsafeUninitializedCapacity: 65_536) { output, filled in
                    stream.pointee.next_out = output.baseAddress
                    stream.pointee.avail_out = 65_536
                    let code = deflate(stream, flush)
                    // Z_BUF_ERROR says that there was nothing left to do.
                    guard code == Z_OK || code == Z_BUF_ERROR else { throw ZipFailure("compression failed: \(code)") }
                    filled = 65_536 - Int(stream.pointee.avail_out)
                }
                result += piece
                isFull = piece.count == 65_536
            }
            stream.pointee.next_in = nil
        }
        return result
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }
}
