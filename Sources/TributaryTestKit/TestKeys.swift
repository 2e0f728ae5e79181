import CRMCore
import Metadata

/// The keys of encrypted fields in tests.
package enum TestKeys {
    package static let first = String(repeating: "0f", count: 32)
    package static let second = String(repeating: "a7", count: 32)
    package static let vault = keys(first)

    /// The first is the newest.
    package static func keys(_ lines: String...) -> FieldVault? {
        (try? EncryptionKeys(lines.joined(separator: "\n"))).map(FieldVault.init)
    }
}
