import CCrypto
import Wire

/// One key of a key file: 256 random bits, and a name that tells nothing of them.
struct EncryptionKey: Sendable {
    private static let length = 32

    let name: String
    /// Encrypts values.
    let cipher: [UInt8]
    /// Chooses the nonce of a value.
    let nonces: [UInt8]

    init?(hex text: String) {
        guard let bytes = Secrets.bytes(hex: text), bytes.count == Self.length else { return nil }
        cipher = Secrets.hmac(bytes, Array("tributary field encryption".utf8))
        nonces = Secrets.hmac(bytes, Array("tributary field nonces".utf8))
        name = String(Secrets.hex(Secrets.hmac(bytes, Array("tributary key name".utf8))).prefix(12))
    }

    /// A new key as a line of a key file.
    static func random() -> String { Secrets.hex(Secrets.randomBytes(length)) }
}

/// The keys for encrypted fields, as a file holds them: a line of 64 hexadecimal digits each. The first is for what is encrypted from
/// now on, the others open what was encrypted before.
package struct EncryptionKeys: Sendable {
    package struct Mistake: Error, CustomStringConvertible {
        package let description: String
    }

    let keys: [EncryptionKey]

    package init(_ text: String) throws(Mistake) {
        var keys: [EncryptionKey] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.filter { !$0.isWhitespace }
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let key = EncryptionKey(hex: line) else { throw Mistake(description: "line \(number + 1) is not 64 hexadecimal digits") }
            guard !keys.contains(where: { $0.name == key.name }) else { throw Mistake(description: "line \(number + 1) is there twice") }
            keys.append(key)
        }
        guard !keys.isEmpty else { throw Mistake(description: "no key") }
        self.keys = keys
    }

    /// The text of a file with one new key.
    package static func fresh() -> String { EncryptionKey.random() + "\n" }
}
