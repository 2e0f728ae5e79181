import ArgumentParser
import CRMCore
import Foundation
import Metadata

/// Where the keys of encrypted fields lie.
struct EncryptionOptions: ParsableArguments {
    @Option(
        help: """
            A file with the keys of encrypted fields, a line of 64 hexadecimal digits each, the one to use first; `tributary \
            encryption-key` makes one. Also read from TRIBUTARY_ENCRYPTION_KEY_FILE. Without one no field can be encrypted.
            """)
    var encryptionKeyFile: String?

    private static let variable = "TRIBUTARY_ENCRYPTION_KEY_FILE"

    /// `nil` when no file is named.
    func vault() throws -> FieldVault? { try Self.vault(encryptionKeyFile ?? ProcessInfo.processInfo.environment[Self.variable]) }

    /// For commands that do without the option.
    static func fromEnvironment() throws -> FieldVault? { try vault(ProcessInfo.processInfo.environment[variable]) }

    private static func vault(_ path: String?) throws -> FieldVault? {
        guard let path, !path.isEmpty else { return nil }
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw CommandFailure("the key file \(path) cannot be read")
        }
        do {
            return FieldVault(try EncryptionKeys(text))
        } catch let mistake as EncryptionKeys.Mistake {
            throw CommandFailure("the key file \(path): \(mistake)")
        }
    }
}

/// Makes a key.
struct EncryptionKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encryption-key", abstract: "Print a new key for encrypted fields.",
        discussion: "Keep it in a file that only the server may read, and a copy of it away from the backups. See docs/encryption.md.")

    func run() throws { print(EncryptionKeys.fresh(), terminator: "") }
}
