import CCrypto
import Metadata

/// AES-256-GCM. The nonce is a keyed digest of the field and the value, so that equal values are equal when sealed; the field is
/// authenticated with the value, so that nothing sealed for one field opens in another.
extension FieldVault {
    private static let nonceLength = 12, tagLength = 16

    package init(_ keys: EncryptionKeys) {
        let byName = Dictionary(keys.keys.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.init(
            newest: keys.keys[0].name, keys: Set(byName.keys),
            seal: { plain, field, name in
                guard let key = byName[name] else { return nil }
                let bound = Self.bound(field)
                let nonce = Array(Secrets.hmac(key.nonces, bound + plain).prefix(Self.nonceLength))
                guard let sealed = AESGCM(key: key.cipher, nonce: nonce, bound: bound).seal(plain) else { return nil }
                return "\(Self.mark)\(name):\(Secrets.hex(nonce + sealed))"
            },
            open: { text, field in
                let parts = text.split(separator: ":", omittingEmptySubsequences: false)
                guard parts.count == 3, let key = byName[String(parts[1])], let bytes = Secrets.bytes(hex: String(parts[2])),
                    bytes.count >= Self.nonceLength + Self.tagLength
                else { return nil }
                return AESGCM(key: key.cipher, nonce: Array(bytes.prefix(Self.nonceLength)), bound: Self.bound(field))
                    .open(Array(bytes.dropFirst(Self.nonceLength)))
            })
    }

    private static func bound(_ field: FieldID) -> [UInt8] { withUnsafeBytes(of: field.raw.littleEndian, Array.init) }
}

/// One use of the cipher: a key, a nonce, and what is authenticated besides the text.
private struct AESGCM {
    let key: [UInt8]
    let nonce: [UInt8]
    let bound: [UInt8]

    private static let tagLength = 16

    /// The ciphertext and its tag.
    func seal(_ plain: [UInt8]) -> [UInt8]? {
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        var out = [UInt8](repeating: 0, count: plain.count)
        var tag = [UInt8](repeating: 0, count: Self.tagLength)
        var length: Int32 = 0
        // The default nonce of GCM has twelve bytes.
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_EncryptUpdate(context, nil, &length, bound, Int32(bound.count)) == 1,
            EVP_EncryptUpdate(context, &out, &length, plain, Int32(plain.count)) == 1,
            EVP_EncryptFinal_ex(context, nil, &length) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, Int32(Self.tagLength), &tag) == 1
        else { return nil }
        return out + tag
    }

    /// `nil` when the tag does not fit: another key, another field, or a changed text.
    func open(_ sealed: [UInt8]) -> [UInt8]? {
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        let text = Array(sealed.dropLast(Self.tagLength))
        var tag = Array(sealed.suffix(Self.tagLength))
        var out = [UInt8](repeating: 0, count: text.count)
        var length: Int32 = 0
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_DecryptUpdate(context, nil, &length, bound, Int32(bound.count)) == 1,
            EVP_DecryptUpdate(context, &out, &length, text, Int32(text.count)) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, Int32(Self.tagLength), &tag) == 1,
            EVP_DecryptFinal_ex(context, nil, &length) == 1
        else { return nil }
        return out
    }
}

extension Secrets {
    /// HMAC-SHA256.
    static func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        var length: UInt32 = 0
        _ = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &digest, &length)
        return digest
    }
}
