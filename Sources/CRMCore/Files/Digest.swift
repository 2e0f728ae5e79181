import CCrypto

/// SHA-256 of bytes that come in pieces.
struct Digest: ~Copyable {
    private let context = EVP_MD_CTX_new()

    init() { EVP_DigestInit_ex(context, EVP_sha256(), nil) }

    func add(_ bytes: [UInt8]) { _ = EVP_DigestUpdate(context, bytes, bytes.count) }

    /// In hexadecimal digits. Nothing may be added afterwards.
    func finish() -> String {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        EVP_DigestFinal_ex(context, &digest, nil)
        return Secrets.hex(digest)
    }

    deinit { EVP_MD_CTX_free(context) }
}
