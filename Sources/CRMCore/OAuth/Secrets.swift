import CCrypto

/// Random values, digests and comparisons for secrets. Nothing here keeps a secret.
package enum Secrets {
    /// From the system's own source, which the standard library reads (`getrandom` on Linux).
    package static func randomBytes(_ count: Int) -> [UInt8] {
        var source = SystemRandomNumberGenerator()
        return (0..<count).map { _ in .random(in: .min ... .max, using: &source) }
    }

    package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        _ = SHA256(bytes, bytes.count, &digest)
        return digest
    }

    /// How tokens and client secrets are stored: they are random and long, so a plain digest cannot be guessed back.
    package static func fingerprint(_ secret: String) -> String { hex(sha256(Array(secret.utf8))) }

    /// A new token in the original's form: "1000." and two groups of 128 random bits.
    package static func token() -> String { "1000.\(hex(randomBytes(16))).\(hex(randomBytes(16)))" }

    /// A password for a person to type: 100 random bits in groups, without letters that look alike.
    package static func password() -> String {
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        return randomBytes(20).enumerated()
            .map { index, byte in (index > 0 && index % 5 == 0 ? "-" : "") + String(letters[Int(byte) % letters.count]) }
            .joined()
    }

    package static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            for (index, byte) in bytes.enumerated() {
                buffer[index * 2] = digits[Int(byte >> 4)]
                buffer[index * 2 + 1] = digits[Int(byte & 15)]
            }
            return bytes.count * 2
        }
    }

    package static func bytes(hex text: String) -> [UInt8]? {
        let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count.isMultiple(of: 2), digits.allSatisfy({ $0 != nil }) else { return nil }
        let values = digits.compactMap { $0 }
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }

    /// Compares without telling by its time where two values differ.
    package static func equal(_ a: String, _ b: String) -> Bool {
        let left = Array(a.utf8)
        let right = Array(b.utf8)
        return left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }
}
