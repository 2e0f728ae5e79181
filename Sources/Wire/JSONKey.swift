/// A member name made ready for writing. Make it once, outside the loop that writes records.
package struct JSONKey: Sendable, Hashable {
    package let name: String
    /// The name escaped, with its quotes and colon: `"Last_Name":`.
    package let escaped: [UInt8]

    package init(_ name: String) {
        self.name = name
        var writer = JSONWriter(capacity: name.utf8.count + 8)
        writer.string(name)
        self.escaped = writer.finish() + [UInt8(ascii: ":")]
    }
}
