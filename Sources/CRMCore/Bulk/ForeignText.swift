#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Text in one of the encodings that only the system's tables know. Encodings with a state are left out, so that each piece of a file
/// can be turned by itself.
enum ForeignText {
    static func isKnown(_ name: String) -> Bool {
        guard let converter = open(name) else { return false }
        iconv_close(converter)
        return true
    }

    private static func open(_ name: String) -> iconv_t? {
        let converter = iconv_open("UTF-8", name)
        return converter == iconv_t(bitPattern: -1) ? nil : converter
    }

    /// The piece as UTF-8, and the bytes of a last character that is not whole. What is no character becomes a byte that is no UTF-8.
    static func utf8(_ bytes: [UInt8], from name: String) -> (text: [UInt8], rest: [UInt8]) {
        guard let converter = open(name) else { return ([0xFF], []) }
        defer { iconv_close(converter) }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        var input = bytes
        var position = 0
        var isCut = false
        while position < bytes.count, !isCut {
            let chunk = [UInt8](unsafeUninitializedCapacity: 65_536) { output, filled in
                input.withUnsafeMutableBytes { source in
                    var from = source.baseAddress?.advanced(by: position).assumingMemoryBound(to: CChar.self)
                    var left = bytes.count - position
                    var to = UnsafeMutableRawPointer(output.baseAddress)?.assumingMemoryBound(to: CChar.self)
                    var free = output.count
                    let result = iconv(converter, &from, &left, &to, &free)
                    let reason = errno
                    filled = output.count - free
                    position = bytes.count - left
                    guard result == -1 else { return }
                    if reason == EINVAL { isCut = true }
                    // Room for one more is there: a full buffer is E2BIG.
                    if reason == EILSEQ, free > 0 {
                        output[filled] = 0xFF
                        filled += 1
                        position += 1
                    }
                }
            }
            text += chunk
        }
        return (text, Array(bytes[position...]))
    }
}
