import SQLStore
import Wire

/// A field of a module. `columns` never change after creation, whatever happens to the names.
package final class Field: Sendable {
    package let id: FieldID
    package let apiName: String
    package let label: String
    package let type: FieldType
    package let columns: [ColumnName]
    package let length: Int?
    package let decimals: Int?
    /// Mandatory whatever the layout says.
    package let systemMandatory: Bool
    package let unique: Bool
    /// Whether values may stand for ids of the record (X-EXTERNAL); such values are unique in the organisation.
    package let isExternal: Bool
    /// Whether each user has values of his own in it, which no column holds.
    package let isPerUser: Bool
    /// Part of every record and set by the system only: ids, times, computed values.
    package let settable: Bool
    package let creatable: Bool
    package let custom: Bool
    /// Every accepted spelling of a picklist value, with the value shown for it.
    package let choices: [String: String]
    /// The module a lookup points into; `nil` when it may point into any.
    package let target: ModuleID?
    /// What a record must satisfy for the lookup to point at it.
    package let targetCriteria: JSONValue?
    /// Whether the criteria are tested again whenever the record is edited.
    package let revalidatesCriteria: Bool
    /// Of a currency field that rounds.
    package let rounding: CurrencyRounding?
    package let key: JSONKey
    /// What profiles that are named may do with the field; the others may do everything.
    package let rights: [RecordID: FieldRight]
    /// Of an encrypted field: how its values are kept.
    package let cipher: FieldCipher?
    /// The metadata answer, without what `defaults` says.
    package let body: JSONValue

    init(_ document: Document, _ defaults: JSONValue, modules: [String: ModuleID], vault: FieldVault? = nil) {
        let body = document.body
        func value(_ name: String) -> JSONValue? { body[name] ?? defaults[name] }
        let name = document.apiName ?? ""
        let dataType = value("data_type")?.string ?? "text"
        let targetName = value("lookup")?["module"]?["api_name"]?.string
        let anyModule = targetName == "se_module"
        self.body = body
        id = FieldID(raw: document.id.raw)
        apiName = name
        label = value("field_label")?.string ?? name
        let perUser = value("external")?["type"]?.string == "user"
        isPerUser = perUser
        columns = perUser ? [] : (body["columns"]?.array ?? []).compactMap { $0.string.flatMap(ColumnName.init(checked:)) }
        let plain: FieldType =
            anyModule
            ? .multiModuleLookup.with(dataType: dataType) : body["holds_taxes"]?.bool == true ? .taxes : .of(dataType, body, field: name)
        cipher = FieldCipher(FieldID(raw: document.id.raw), plain, body, vault)
        type = cipher?.stored ?? plain
        length = value("length")?.int64.map(Int.init)
        decimals = value("decimal_place")?.int64.map(Int.init)
        systemMandatory = value("system_mandatory")?.bool ?? false
        isExternal = !(value("external")?.members ?? []).isEmpty
        unique = isExternal || !(value("unique")?.members ?? []).isEmpty
        custom = value("custom_field")?.bool ?? false
        let operations = value("operation_type")
        settable = operations?["api_update"]?.bool ?? true
        creatable = operations?["api_create"]?.bool ?? true
        choices = Self.spellings(value("pick_list_values")?.array ?? [])
        target = anyModule ? nil : targetName.flatMap { modules[$0] }
        let criteria = value("lookup")?["query_details"]?["criteria"]
        targetCriteria = criteria.flatMap { $0.isNull || $0 == [:] ? nil : $0 }
        revalidatesCriteria = value("lookup")?["revalidate_filter_during_edit"]?.bool ?? false
        rounding = CurrencyRounding(body)
        key = JSONKey(name)
        rights = Self.rights(value("profiles")?.array ?? [])
    }

    private static func rights(_ profiles: [JSONValue]) -> [RecordID: FieldRight] {
        var found: [RecordID: FieldRight] = [:]
        for profile in profiles {
            guard let id = profile["id"]?.looseInt64, let right = profile["permission_type"]?.string.flatMap(FieldRight.init(rawValue:)),
                right != .readWrite
            else { continue }
            found[RecordID(raw: id)] = right
        }
        return found
    }

    /// Whether the value is an id of a record (not of a user or a layout).
    package var isRecordLookup: Bool { type.cell == .lookup || type.cell == .anyLookup }

    /// Whether the lookup may point into more than one module; its second column then names the module.
    package var isAnyLookup: Bool { type.cell == .anyLookup }

    /// A shown value stands for itself, even where it is also the actual value behind another one.
    private static func spellings(_ values: [JSONValue]) -> [String: String] {
        var found: [String: String] = [:]
        for value in values {
            if let shown = value["display_value"]?.string, let actual = value["actual_value"]?.string { found[actual] = shown }
        }
        for value in values {
            if let shown = value["display_value"]?.string { found[shown] = shown }
        }
        return found
    }
}

/// What a profile may do with a field.
package enum FieldRight: String, Sendable, CaseIterable {
    case readWrite = "read_write"
    case readOnly = "read_only"
    case hidden
}
