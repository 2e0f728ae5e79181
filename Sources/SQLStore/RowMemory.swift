import Glibc

/// The texts of one row after another, in memory that stays where it is while the engine reads it: nothing is copied twice, and
/// nothing is allocated for each value.
final class RowMemory {
    private var bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 4_096, alignment: 1)
    private var used = 0

    deinit { bytes.deallocate() }

    /// Forgets the row before. The texts that follow have `size` bytes at most.
    func begin(atLeast size: Int) {
        used = 0
        guard size > bytes.count else { return }
        bytes.deallocate()
        bytes = .allocate(byteCount: max(size, 2 * bytes.count), alignment: 1)
    }

    /// Where the text stands; `nil` when it holds a NUL, or more than there is room for.
    func put(_ text: String) -> (start: UnsafePointer<CChar>, count: Int)? {
        var text = text
        let start = used
        let isPut = text.withUTF8 { utf8 in
            guard utf8.count <= bytes.count - start else { return false }
            if let base = utf8.baseAddress, !utf8.isEmpty {
                guard memchr(base, 0, utf8.count) == nil else { return false }
                bytes.baseAddress?.advanced(by: start).copyMemory(from: base, byteCount: utf8.count)
            }
            used += utf8.count
            return true
        }
        guard isPut, let base = bytes.baseAddress else { return nil }
        return (UnsafePointer(base.advanced(by: start).assumingMemoryBound(to: CChar.self)), used - start)
    }
}

extension SQLValue {
    /// Bytes of a text; 0 for anything else.
    var textSize: Int { if case .text(let text) = self { text.utf8.count } else { 0 } }
}
