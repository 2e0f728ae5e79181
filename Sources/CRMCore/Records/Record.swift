import Metadata
import SQLStore
import Wire

/// A record as its row: one value for each stored column of its module.
package struct Record: Sendable, Equatable {
    package let module: Module
    package var values: [SQLValue]

    package init(_ module: Module, values: [SQLValue]) {
        self.module = module
        self.values = values
    }

    /// An empty record under a new id.
    package init(_ module: Module, id: RecordID) {
        self.module = module
        values = Array(repeating: .null, count: module.storedColumns.count)
        values[0] = .integer(id.raw)
        values[module.versionSlot] = .integer(0)
    }

    package var id: RecordID { RecordID(raw: values[0].integer ?? 0) }

    /// The merge that holds this record, if one does.
    package var heldByMerge: RecordID? { values[module.mergeSlot].integer.map(RecordID.init(raw:)) }

    /// The value of a field's first column; of an encrypted field the plain one.
    package subscript(_ field: Field) -> SQLValue {
        get {
            guard let slot = module.slot(of: field) else { return .null }
            guard let cipher = field.cipher else { return values[slot] }
            return cipher.open(values[slot..<slot + field.columns.count])
        }
        set {
            guard let slot = module.slot(of: field) else { return }
            guard let cipher = field.cipher else {
                values[slot] = newValue
                return
            }
            set(field, to: cipher.columns(of: newValue))
        }
    }

    /// The value by API name; `null` where the module has no such field.
    package subscript(_ apiName: String) -> SQLValue {
        get { module.field(apiName).map { self[$0] } ?? .null }
        set { if let field = module.field(apiName) { self[field] = newValue } }
    }

    /// All columns of a field; of an encrypted one as they are written now.
    package func columns(of field: Field) -> ArraySlice<SQLValue> {
        guard let slot = module.slot(of: field) else { return [] }
        if let cipher = field.cipher { return cipher.columns(of: self[field])[...] }
        return values[slot..<slot + field.columns.count]
    }

    /// The record a lookup points at.
    func target(of field: Field) -> (module: ModuleID, id: Int64)? {
        guard field.isRecordLookup, let id = self[field].integer else { return nil }
        guard let module = field.target ?? columns(of: field).last?.integer.map(ModuleID.init(raw:)) else { return nil }
        return (module, id)
    }

    package mutating func set(_ field: Field, to columns: [SQLValue]) {
        guard let slot = module.slot(of: field), columns.count == field.columns.count else { return }
        for (offset, value) in columns.enumerated() { values[slot + offset] = value }
    }

    /// Takes over what another record holds in a field of the same kind. Sealed values are opened on the way: each field has its own.
    mutating func take(_ field: Field, from other: Record, _ theirs: Field) {
        if field.isEncrypted || theirs.isEncrypted { self[field] = other[theirs] } else { set(field, to: Array(other.columns(of: theirs))) }
    }

    /// What people call this record.
    package var displayName: String { module.displayField.map { self[$0].text ?? "" } ?? "" }

    package static func == (a: Record, b: Record) -> Bool { a.module.id == b.module.id && a.values == b.values }

    /// The fields whose columns differ from those of `other`.
    package func changedFields(from other: Record) -> [Field] {
        module.fields.filter { field in
            guard let slot = module.slot(of: field), slot > 0 else { return false }
            if field.isEncrypted { return self[field] != other[field] }
            return values[slot..<slot + field.columns.count] != other.values[slot..<slot + field.columns.count]
        }
    }
}

extension SQLValue {
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    package var text: String? { if case .text(let value) = self { value } else { nil } }
    package var real: Double? {
        switch self {
        case .real(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }
    package var isNull: Bool { self == .null }

    /// The form kept in images and in the change log.
    package var json: JSONValue {
        switch self {
        case .null: .null
        case .integer(let value): .integer(value)
        case .real(let value): .real(value)
        case .text(let value): .string(value)
        case .blob(let bytes): .array(bytes.map { .integer(Int64($0)) })
        }
    }

    /// Back from the kept form into a column of `type`.
    package init(_ json: JSONValue, as type: ColumnType) {
        switch (type, json) {
        case (_, .null): self = .null
        case (.integer, _): self = json.int64.map(SQLValue.integer) ?? .null
        case (.real, _): self = json.double.map(SQLValue.real) ?? .null
        case (.text, _): self = json.string.map(SQLValue.text) ?? .null
        case (.blob, _): self = .blob((json.array ?? []).compactMap { $0.int64.map(UInt8.init(truncatingIfNeeded:)) })
        }
    }
}

extension FieldValue {
    /// The columns of a value of `field`.
    package func bind(_ field: Field) -> [SQLValue] {
        let first: SQLValue =
            switch self {
            case .null: .null
            case .text(let text): .text(text)
            case .integer(let value): .integer(value)
            case .number(let value): .real(value)
            case .flag(let flag): .integer(flag ? 1 : 0)
            case .date(let date): .text(date.iso)
            case .instant(let instant): .integer(instant.milliseconds)
            case .choices(let chosen): .text(JSONValue.array(chosen.map(JSONValue.string)).text)
            case .reference(let id, _): .integer(id.raw)
            case .json(let value): .text(value.text)
            }
        if let cipher = field.cipher { return cipher.columns(of: first) }
        guard field.columns.count == 2 else { return [first] }
        guard case .reference(_, let module) = self else { return [first, .null] }
        return [first, .init(module?.raw)]
    }
}
