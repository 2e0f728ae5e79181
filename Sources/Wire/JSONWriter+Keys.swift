extension JSONWriter {
    /// A key escaped already, quotes and colon included, from wherever its bytes lie.
    @inlinable package mutating func key(escaped bytes: UnsafeBufferPointer<UInt8>) {
        beginValue(bytes.count)
        if let start = bytes.baseAddress {
            (base + length).update(from: start, count: bytes.count)
            length &+= bytes.count
        }
        needsComma = false
    }
}
