import Metadata
import SQLStore
import Wire

extension FieldShaper {
    /// Changes one field. Contract: fields, U7.
    package func update(_ id: FieldID, _ item: JSONCursor, idPath: JSONPath) throws -> RecordID {
        guard let field = module.field(id), let kind = FieldKind.named(field.type.dataType) else { throw Rejection.invalid(at: idPath) }
        try refuseFixedKeys(field, kind, item)
        var draft = FieldDraft(kind: kind, item: item, module: module, scope: scope, existing: field)
        if item.optional("field_label") != nil {
            let label = try label(item, except: field)
            if label != field.label {
                guard field.custom else { throw Rejection.notAllowed(at: item.path.appending("field_label")) }
                draft.body["field_label"] = .string(label)
                draft.body["display_label"] = .string(label)
            }
        }
        try draft.readChanges()
        if draft.body["unique"]?.members?.isEmpty == false, !field.unique {
            try ExistingRecords.refuseRepeated(field, of: module, item, scope.tx)
        }
        if let encrypts = draft.encrypts {
            try FieldEncryption(field: field, module: module, scope: scope).turn(
                on: encrypts, &draft.body, at: item.path.appending("crypt"))
        }
        draft.body["modified_time"] = scope.time
        if item.optional("pick_list_values") != nil || item.optional("global_picklist") != nil {
            try BlueprintUse.follow(
                field, of: module, values: draft.body["pick_list_values"]?.array ?? [], renamed: draft.renamedValues,
                at: item.path.appending("pick_list_values"), scope)
        }
        let recordID = RecordID(raw: id.raw)
        try scope.replace(recordID, body: draft.body)
        if kind.isComputedFromOthers { try RecomputeJob.enqueue(module, scope) }
        try PicklistReplaceJob.enqueue(draft.renamedValues, field: field, of: module, scope)
        return recordID
    }

    private func refuseFixedKeys(_ field: Field, _ kind: FieldKind, _ item: JSONCursor) throws(Rejection) {
        for (key, current) in [("data_type", field.type.dataType), ("api_name", field.apiName)] {
            if let given = item.optional(key), given.value != .string(current) { throw .notAllowed(at: given.path) }
        }
        if let area = item.optional("textarea"), let type = area.value["type"], type != field.body["textarea"]?["type"] {
            throw .notAllowed(at: area.path.appending("type"))
        }
        if kind.dataType == "textarea", let length = item.optional("length"), length.value.looseInt64 != field.length.map(Int64.init) {
            throw .notAllowed(at: length.path)
        }
        if let lookup = item.optional("lookup")?.optional("module"), let given = try? NamedModule.read(lookup, catalog),
            given.id != field.target
        {
            throw .notAllowed(at: lookup.path)
        }
        if let type = item.optional("formula")?.optional("return_type"), type.value != field.body["formula"]?["return_type"] {
            throw .notAllowed(at: type.path)
        }
        if let pair = item.optional(kind.dataType), ["multiselectlookup", "multiuserlookup"].contains(kind.dataType) {
            throw .notAllowed(at: pair.path)
        }
    }

    /// Deletes one field. Its values stay in the table until the next compaction. Contract: fields, U8.
    package func delete(_ id: FieldID) throws -> RecordID {
        guard let field = module.field(id) else { throw Rejection(.invalidData, .resourcePathIndex(0)) }
        let use = FieldUse(field, module, catalog).first
        guard field.custom, use == nil else {
            throw Rejection(
                .notAllowed,
                details: [.apiName(field.apiName), .resourcePathIndex(0)] + (use.map { [.other("used_in", .string($0))] } ?? []))
        }
        let recordID = RecordID(raw: id.raw)
        var family = [recordID]
        family +=
            module.fields.isEmpty
            ? [] : catalog.modules.flatMap(\.fields).filter { $0.body["reverse_of"]?.looseInt64 == id.raw }.map { RecordID(raw: $0.id.raw) }
        if let first = field.body["reverse_of"]?.looseInt64 { family.append(RecordID(raw: first)) }
        for member in family { try removeCompanions(of: member) }
        for member in family { try Compaction.retire(fields: [FieldID(raw: member.raw)], scope) }
        try scope.remove(family)
        try forget(field)
        return recordID
    }

    private func removeCompanions(of field: RecordID) throws {
        let lists = catalog.documents(.relatedList).filter { $0.body["of_field"]?.looseInt64 == field.raw }.map(\.id)
        try scope.remove(lists)
        // The linking module leaves the catalog; its table, like a column, waits for the compaction.
        for module in catalog.modules where module.body["of_field"]?.looseInt64 == field.raw {
            try Compaction.retire(module, scope)
            try scope.remove([RecordID(raw: module.id.raw)] + module.fields.map { RecordID(raw: $0.id.raw) })
        }
    }

    /// Takes the field out of layouts and views.
    private func forget(_ field: Field) throws {
        for layout in catalog.documents(.layout) where layout.parent?.raw == module.id.raw {
            var sections = layout.body["sections"]?.array ?? []
            for index in sections.indices {
                let fields = sections[index]["fields"]?.array ?? []
                sections[index]["fields"] = .array(fields.filter { $0["api_name"]?.string != field.apiName })
            }
            var body = layout.body
            body["sections"] = .array(sections)
            if body != layout.body { try scope.replace(layout.id, body: body) }
        }
        for view in catalog.documents(.customView) where view.parent?.raw == module.id.raw {
            var body = view.body
            body["fields"] = .array((body["fields"]?.array ?? []).filter { ($0.string ?? $0["api_name"]?.string) != field.apiName })
            if body["sort_by"]?["api_name"]?.string == field.apiName { (body["sort_by"], body["sort_order"]) = (.null, .null) }
            if body != view.body { try scope.replace(view.id, body: body) }
        }
    }
}

extension FieldDraft {
    /// What a change may touch: the keys of creation that are not fixed at birth.
    mutating func readChanges() throws(Rejection) {
        if item.optional("length") != nil { body["length"] = .integer(try kind.length(item)) }
        if kind.traits.contains(.decimals), item.optional("decimal_place") != nil { try readLength() }
        if kind.traits.contains(.choices) { try readChoices() }
        if kind.dataType == "autonumber", let numbers = item.optional("auto_number") {
            body["auto_number"] = try AutoNumberSettings.read(numbers)
        }
        if kind.isComputedFromOthers, item.optional(kind.dataType) != nil { try readType(RecordID(raw: 0), apiName: "", label: "") }
        if kind.dataType == "currency", item.optional("currency") != nil { try readType(RecordID(raw: 0), apiName: "", label: "") }
        try readCommon()
    }
}

/// Where a field is needed, so that it cannot go.
struct FieldUse {
    private let field: Field
    private let module: Module
    private let catalog: Catalog

    init(_ field: Field, _ module: Module, _ catalog: Catalog) {
        self.field = field
        self.module = module
        self.catalog = catalog
    }

    /// One place, as the refusal names it.
    var first: String? {
        if module.displayField === field { return "display_field" }
        for other in module.fields where other !== field {
            if let expression = other.body["formula"]?["expression"]?.string, FormulaReferences(expression).names.contains(field.apiName) {
                return "formula: \(other.apiName)"
            }
        }
        for other in catalog.modules.flatMap(\.fields) {
            guard let rollup = other.body["rollup_summary"], rollup["based_on_module"]?["api_name"]?.string == module.apiName else {
                continue
            }
            let named = (rollup["expression"]?["function_parameters"]?.array ?? []).contains { $0["api_name"]?.string == field.apiName }
            if named || rollup["related_list"]?["api_name"] == field.body["lookup"]?["api_name"] {
                return "rollup_summary: \(other.apiName)"
            }
        }
        for other in catalog.modules.flatMap(\.fields) {
            if other.target == module.id, let criteria = other.targetCriteria, names(criteria) { return "lookup: \(other.apiName)" }
            guard let rollup = other.body["rollup_summary"], rollup["based_on_module"]?["api_name"]?.string == module.apiName else {
                continue
            }
            if names(rollup["expression"]?["criteria"] ?? .null) { return "rollup_summary: \(other.apiName)" }
        }
        let key = TerritorySetup.criteriaKeys.first { $0.module == module.apiName }?.key
        let territories = key.map(catalog.territories.ruled(by:)) ?? []
        if let first = territories.first(where: { territory in names(key.flatMap { territory.body[$0] } ?? .null) }) {
            return "territory: \(first.name)"
        }
        if let locks = LockingConfiguration.of(module, catalog), locks.rules.contains(where: { names($0.criteria) }) {
            return "record_locking_configuration"
        }
        for view in catalog.documents(.customView) where view.parent?.raw == module.id.raw && names(view.body["criteria"] ?? .null) {
            return "custom_view: \(view.body["name"]?.string ?? "")"
        }
        for dependency in catalog.documents(.mapDependency) where dependency.body["module"]?.string == module.apiName {
            if ["parent", "child"].contains(where: { dependency.body[$0]?["id"]?.looseInt64 == field.id.raw }) { return "map_dependency" }
        }
        if let name = BlueprintUse.naming(field, of: module, catalog) { return "blueprint: \(name)" }
        if let rule = RuleUse.all(catalog).first(where: { $0.module.id == module.id && $0.asks(field) }) {
            return "\(rule.type): \(rule.name)"
        }
        for preference in catalog.documents(.duplicateCheck) {
            let mapped = (preference.body["mappings"]?.array ?? []).contains {
                $0["current"]?.looseInt64 == field.id.raw || $0["mapped"]?.looseInt64 == field.id.raw
            }
            if mapped { return "duplicate_check_preference" }
        }
        return nil
    }

    private func names(_ criteria: JSONValue) -> Bool {
        if let group = criteria["group"]?.array { return group.contains(where: names) }
        return criteria["field"]?["api_name"]?.string == field.apiName
    }
}
