/// Seals and opens the values of encrypted fields, with keys that lie outside the database.
///
/// Sealing is the same for the same value, field and key, so that sealed values can be compared: for equality, and for whether a
/// record changed. Nothing else can be told from them.
package struct FieldVault: Sendable {
    /// What every sealed text begins with, before the name of its key.
    package static let mark = "enc1:"

    /// The key that fields encrypted from now on get.
    package let newest: String
    /// Every key it has, by name.
    package let keys: Set<String>
    private let sealing: @Sendable ([UInt8], FieldID, String) -> String?
    private let opening: @Sendable (String, FieldID) -> [UInt8]?

    package init(
        newest: String, keys: Set<String>, seal: @Sendable @escaping ([UInt8], FieldID, String) -> String?,
        open: @Sendable @escaping (String, FieldID) -> [UInt8]?
    ) {
        self.newest = newest
        self.keys = keys
        sealing = seal
        opening = open
    }

    /// `nil` when the key is not there.
    package func seal(_ plain: [UInt8], for field: FieldID, with key: String) -> String? { sealing(plain, field, key) }

    /// `nil` when this is no sealed text of the field, or its key is not there.
    package func open(_ sealed: String, for field: FieldID) -> [UInt8]? { sealed.hasPrefix(Self.mark) ? opening(sealed, field) : nil }
}

extension FieldVault {
    /// Text that belongs to no field, such as what waits in a queue.
    private static let ofNoField = FieldID(raw: 0)

    package func seal(text: String) -> String { seal(Array(text.utf8), for: Self.ofNoField, with: newest) ?? text }

    /// The text itself when it is not sealed.
    package func open(text: String) -> String { open(text, for: Self.ofNoField).map { String(decoding: $0, as: UTF8.self) } ?? text }
}
