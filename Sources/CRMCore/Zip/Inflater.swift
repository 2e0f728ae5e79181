import CZlib

/// Unpacks what `Deflater` or another program has compressed, a piece at a time.
final class Inflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private(set) var isAtEnd = false

    init() throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard tributary_inflate_begin(stream) == Z_OK else { throw ZipFailure("no memory to unpack with") }
    }

    /// Hands `each` what the bytes hold, in pieces of 64 KB at most, so that little can never become much at once.
    func add(_ bytes: [UInt8], each: ([UInt8]) throws -> Void) throws {
        var input = bytes
        let count = input.count
        try input.withUnsafeMutableBufferPointer { buffer in
            stream.pointee.next_in = buffer.baseAddress
            stream.pointee.avail_in = UInt32(count)
            var isFull = true
            while !isAtEnd, isFull || stream.pointee.avail_in > 0 {
                let piece = try [UInt8](unsafeUninitializedCapacity: 65_536) { output, filled in
                    stream.pointee.next_out = output.baseAddress
                    stream.pointee.avail_out = 65_536
                    let code = inflate(stream, Z_NO_FLUSH)
                    guard [Z_OK, Z_STREAM_END, Z_BUF_ERROR].contains(code) else { throw ZipFailure("the compressed data is damaged") }
                    isAtEnd = code == Z_STREAM_END
                    filled = 65_536 - Int(stream.pointee.avail_out)
                }
                if !piece.isEmpty { try each(piece) }
                isFull = piece.count == 65_536
            }
            stream.pointee.next_in = nil
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }
}
