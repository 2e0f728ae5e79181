/// The SHA-256 of a content, as its name in a store. Only hexadecimal digits: no path can be made of it but the store's own.
package struct ContentHash: Sendable, Hashable {
    package let hex: String

    package init?(_ hex: String) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else { return nil }
        self.hex = hex
    }
}
