import Metadata
import Wire

/// The body of a field while it is made or changed from the keys of a request.
struct FieldDraft {
    let kind: FieldKind
    let item: JSONCursor
    let module: Module
    let scope: MetadataScope
    /// The field that is changed; `nil` for a new one.
    let existing: Field?
    var body: JSONValue
    /// Linking module or related list that comes with the field.
    var companion: FieldCompanion?
    var renamedValues: [(old: String, new: String)] = []
    /// Whether encryption is to be on, where the request says.
    var encrypts: Bool?

    init(kind: FieldKind, item: JSONCursor, module: Module, scope: MetadataScope, existing: Field? = nil) {
        self.kind = kind
        self.item = item
        self.module = module
        self.scope = scope
        self.existing = existing
        body = existing?.body ?? Self.fresh(kind)
    }

    private static func fresh(_ kind: FieldKind) -> JSONValue {
        var body: JSONValue = [
            "data_type": .string(kind.dataType), "json_type": .string(kind.jsonType), "ui_type": .integer(kind.uiType),
            "custom_field": true,
            "created_source": "default", "sortable": .bool(kind.traits.contains(.sorted)),
            "filterable": .bool(kind.traits.contains(.filtered)),
            "searchable": .bool(kind.traits.contains(.filtered)), "mass_update": .bool(!kind.traits.contains(.computed)),
            "view_type": ["view": true, "edit": true, "quick_create": false, "create": true],
        ]
        if kind.traits.contains(.computed) { for (key, value) in FieldKind.readOnly { body[key] = value } }
        if FieldType.named(kind.dataType, field: "").storage.isEmpty { body["virtual_field"] = true }
        return body
    }

    mutating func readLength() throws(Rejection) {
        body["length"] = .integer(try kind.length(item))
        guard kind.traits.contains(.decimals) else { return }
        var places = 2
        if let given = item.optional("decimal_place"), !given.value.isNull {
            guard let wanted = given.value.looseInt64.map(Int.init), (0...9).contains(wanted) else { throw .invalid(at: given.path) }
            places = wanted
        }
        guard places < (body["length"]?.int64).map(Int.init) ?? 0 || places == 0 else {
            throw .mismatch("decimal_place", with: "length", at: item.path)
        }
        body["decimal_place"] = .integer(places)
    }

    /// The keys that belong to the type.
    mutating func readType(_ id: RecordID, apiName: String, label: String) throws(Rejection) {
        switch kind.dataType {
        case "textarea": try readTextArea()
        case "picklist", "multiselectpicklist": try readChoices()
        case "currency": try readCurrency()
        case "autonumber": try readAutonumber(id)
        case "formula": try readFormula()
        case "rollup_summary": try readRollup()
        case "lookup": companion = try LookupCompanion.read(self, apiName: apiName)
        case "multiselectlookup", "multiuserlookup": companion = try LinkCompanion.read(self, apiName: apiName, label: label)
        case "userlookup": try readSharing()
        default: break
        }
        companion?.complete(&body, id)
    }

    func writeCompanions(_ id: RecordID, apiName: String, label: String) throws {
        try companion?.write(id, self, apiName: apiName, label: label)
    }

    private mutating func readTextArea() throws(Rejection) {
        guard let area = item.optional("textarea"), !area.value.isNull else { throw .dependent("textarea", on: "data_type", at: item.path) }
        let type = try area.required("type")
        let lengths = ["small": 2000, "large": 32000, "rich_text": 50000]
        guard let length = type.value.string.flatMap({ lengths[$0] }) else {
            throw .unsupported(["small", "large", "rich_text"], at: type.path)
        }
        if item.value["length"]?.looseInt64 == nil { body["length"] = .integer(length) }
        guard body["length"]?.int64 == Int64(length) else { throw .mismatch("length", with: "textarea", at: item.path) }
        body["textarea"] = ["type": type.value]
        // Only small text areas can be searched and sorted by (`fields.md`, section note).
        if length == 2000 { for key in ["sortable", "searchable"] { body[key] = true } }
    }

    /// Options of its own, or those of a global list.
    mutating func readChoices() throws(Rejection) {
        let own = item.optional("pick_list_values")
        let global = item.optional("global_picklist").flatMap { $0.value.isNull ? nil : $0 }
        if own != nil, global != nil { throw .ambiguous(["pick_list_values", "global_picklist"], at: item.path) }
        for key in ["pick_list_values_sorted_lexically", "enable_colour_code"] {
            if let flag = item.optional(key) { body[key] = .bool(try flag.bool()) }
        }
        if let global {
            try readGlobal(global)
        } else if let own {
            var values = PicklistValues(existing?.body["pick_list_values"]?.array ?? [])
            if existing == nil, own.value.array?.isEmpty == true { throw .tooShort(1, at: own.path) }
            try values.apply(own, scope.ids)
            if existing == nil, kind.dataType == "picklist" { values.addNone(scope.ids) }
            if body["pick_list_values_sorted_lexically"]?.bool == true { values.sort() }
            renamedValues = values.renamed
            body["pick_list_values"] = .array(values.values)
        } else if existing == nil {
            throw .expected(["pick_list_values", "global_picklist"], at: item.path, code: .expectedDependentFieldMissing)
        }
    }

    private mutating func readGlobal(_ given: JSONCursor) throws(Rejection) {
        guard kind.dataType == "picklist" else { throw .notAllowed(at: given.path) }
        let id = try given.required("id")
        let wanted = try id.recordID()
        guard let list = scope.catalog.documents(.globalPicklist).first(where: { $0.id == wanted }), list.body["deleting"]?.bool != true
        else {
            throw .invalid(at: id.path)
        }
        body["global_picklist"] = ["api_name": list.body["api_name"] ?? .null, "id": .id(list.id)]
        body["pick_list_values"] = list.body["pick_list_values"] ?? []
    }

    private mutating func readCurrency() throws(Rejection) {
        guard let currency = item.optional("currency"), !currency.value.isNull else {
            throw .dependent("currency", on: "data_type", at: item.path)
        }
        let option = try currency.required("rounding_option")
        let options = ["normal", "round_off", "round_up", "round_down"]
        guard let chosen = option.value.string, options.contains(chosen) else { throw .unsupported(options, at: option.path) }
        var settings: JSONValue = ["rounding_option": .string(chosen), "precision": .null]
        if let precision = currency.optional("precision"), !precision.value.isNull {
            guard let places = precision.value.looseInt64, places >= 0 else { throw .wrongType("integer", at: precision.path) }
            guard places < body["decimal_place"]?.int64 ?? 2 else { throw .mismatch("precision", with: "decimal_place", at: currency.path) }
            settings["precision"] = .integer(places)
        }
        body["currency"] = settings
    }

    private mutating func readAutonumber(_ id: RecordID) throws(Rejection) {
        if module.fields.contains(where: { $0.custom && $0.type.dataType == "autonumber" })
            || module.displayField?.type.dataType == "autonumber"
        {
            throw Rejection(.limitExceeded, .apiName("data_type"), .jsonPath(item.path.appending("data_type")), .other("limit", 1))
        }
        guard let numbers = item.optional("auto_number"), !numbers.value.isNull else {
            throw .dependent("auto_number", on: "data_type", at: item.path)
        }
        body["auto_number"] = try AutoNumberSettings.read(numbers)
        guard try item.optional("_update_existing_records")?.bool() == true else { return }
        let field = FieldID(raw: id.raw)
        let owner = module.id
        let scope = scope
        scope.then { try ExistingRecords.number(field, of: owner, $0, scope.tx) }
    }

    private mutating func readSharing() throws(Rejection) {
        body["lookup"] = ["module": ["api_name": "Users"]]
        guard let sharing = item.optional("sharing_properties"), !sharing.value.isNull else { return }
        let enabled = try sharing.required("share_preference_enabled").bool()
        let permission = try sharing.required("share_permission")
        let levels = ["full-access", "read-write", "read-only"]
        guard let level = permission.value.string, levels.contains(level) else { throw .unsupported(levels, at: permission.path) }
        body["sharing_properties"] = [
            "share_preference_enabled": .bool(enabled), "share_permission": .string(level), "scheduler_status": .null,
        ]
    }
}

/// The fields a formula names: `${Amount}`, `${Deals.Amount}`.
struct FormulaReferences {
    let names: [String]

    init(_ expression: String) {
        var names: [String] = []
        var rest = expression[...]
        while let open = rest.firstRange(of: "${"), let close = rest[open.upperBound...].firstIndex(of: "}") {
            let name = rest[open.upperBound..<close].split(separator: ".").last.map(String.init) ?? ""
            names.append(name)
            rest = rest[rest.index(after: close)...]
        }
        self.names = names
    }
}

/// A module that a request names by API name, by id, or by both.
enum NamedModule {
    static func read(_ given: JSONCursor, _ catalog: Catalog) throws(Rejection) -> Module {
        if let name = given.value.string {
            guard let module = catalog.module(name) else { throw .invalid(at: given.path) }
            return module
        }
        _ = try given.object()
        let name = given.optional("api_name")
        let id = given.optional("id")
        guard name != nil || id != nil else { throw .expected(["api_name", "id"], at: given.path) }
        let byName = name.flatMap { $0.value.string }.flatMap { catalog.module($0) }
        let byID = id?.value.looseInt64.flatMap { catalog.module(id: ModuleID(raw: $0)) }
        if let name, byName == nil { throw .invalid(at: name.path) }
        if let id, byID == nil { throw .invalid(at: id.path) }
        if let byName, let byID, byName !== byID { throw .ambiguous(["api_name", "id"], at: given.path) }
        guard let found = byName ?? byID else { throw .invalid(at: given.path) }
        return found
    }
}
