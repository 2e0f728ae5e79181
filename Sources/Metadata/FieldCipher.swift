import SQLStore
import Wire

/// How the values of an encrypted field are kept. `plain` is the field's type as people know it; what the column holds is text.
///
/// While a job turns encryption on or off, a field has two columns: the sealed and the plain one, of which one is empty in each row.
/// Reading takes whichever holds something; writing puts the value where it is to end.
package struct FieldCipher: Sendable {
    package enum State: String, Sendable {
        /// Every value is sealed.
        case sealed
        /// Values go from the plain column into the sealed one.
        case sealing
        /// Values go from the sealed column into the plain one.
        case opening
        /// Values sealed with the former key get the present one.
        case rotating
    }

    package let plain: FieldType
    package let state: State
    /// The key values are sealed with, and that of those which a rotation has not reached yet.
    package let key: String
    package let former: String?
    private let field: FieldID
    private let vault: FieldVault?

    /// `nil` for a field that is not encrypted.
    init?(_ field: FieldID, _ plain: FieldType, _ body: JSONValue, _ vault: FieldVault?) {
        guard let facts = body["encryption"], let state = facts["state"]?.string.flatMap(State.init(rawValue:)),
            let key = facts["key"]?.string
        else { return nil }
        self.plain = plain
        self.state = state
        self.key = key
        former = facts["former"]?.string
        self.field = field
        self.vault = vault
    }

    /// What `encryption` in the stored body of a field says.
    package static func facts(_ state: State, key: String, former: String? = nil) -> JSONValue {
        var facts: JSONValue = ["state": .string(state.rawValue), "key": .string(key)]
        if let former { facts["former"] = .string(former) }
        return facts
    }

    /// Whether a second column holds plain values.
    package var isMixed: Bool { state == .sealing || state == .opening }
    package var keys: Set<String> { former.map { [key, $0] } ?? [key] }
    /// The field's type as the tables see it.
    var stored: FieldType {
        FieldType(
            dataType: plain.dataType, storage: isMixed ? [.text] + plain.storage : [.text], cell: .sealed, comparison: .sealed,
            decode: plain.decode)
    }

    /// A plain value as it stands in the field's columns.
    package func columns(of value: SQLValue) -> [SQLValue] {
        switch state {
        case .sealed, .rotating: [seal(value)]
        case .sealing: [seal(value), .null]
        case .opening: [.null, value]
        }
    }

    /// The plain value behind the field's columns; null where there is none, or where nobody can open it.
    package func open(_ columns: some Collection<SQLValue>) -> SQLValue {
        guard let first = columns.first else { return .null }
        if case .text(let text) = first { return open(text) ?? .null }
        return columns.dropFirst().first ?? .null
    }

    /// A value as the change log keeps it.
    package func logged(_ value: SQLValue) -> SQLValue { state == .opening ? value : seal(value) }

    /// The plain value behind what the log keeps: it may be from before the field was encrypted.
    package func read(logged value: JSONValue) -> JSONValue {
        guard let text = value.string, let opened = open(text) else { return value }
        switch opened {
        case .integer(let number): return .integer(number)
        case .real(let number): return .real(number)
        case .text(let text): return .string(text)
        case .null, .blob: return .null
        }
    }

    /// Every sealed form a value may stand in.
    package func spellings(of value: SQLValue) -> [SQLValue] { keys.sorted().map { seal(value, $0) } }

    package func seal(_ value: SQLValue) -> SQLValue { seal(value, key) }

    /// Any text, to be opened by `openText`.
    package func sealText(_ text: String) -> SQLValue { seal(.text(text), key) }

    package func openText(_ sealed: String) -> String? {
        vault?.open(sealed, for: field).map { String(decoding: $0, as: UTF8.self) }
    }

    private func seal(_ value: SQLValue, _ key: String) -> SQLValue {
        let bytes: [UInt8]
        switch value {
        case .null, .blob: return .null
        case .text(let text): bytes = Array(text.utf8)
        case .integer(let number): bytes = Array(String(number).utf8)
        case .real(let number): bytes = Array(String(number).utf8)
        }
        return vault?.seal(bytes, for: field, with: key).map(SQLValue.text) ?? .null
    }

    /// `nil` when the text is none of this field's.
    package func open(_ sealed: String) -> SQLValue? {
        guard let bytes = vault?.open(sealed, for: field) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        switch plain.storage.first {
        case .integer: return Int64(text).map(SQLValue.integer)
        case .real: return Double(text).map(SQLValue.real)
        case .text, .blob, nil: return .text(text)
        }
    }
}

extension Field {
    /// The type as people know it, whether or not the field is encrypted.
    package var plainType: FieldType { cipher?.plain ?? type }
    package var isEncrypted: Bool { cipher != nil }
}
