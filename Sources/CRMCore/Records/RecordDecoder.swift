import Metadata
import SQLStore
import Wire

/// Reads one item of a write body into a pending change: types, lengths, mandatory fields. Touches no database.
struct RecordDecoder {
    /// A lookup value whose record must exist.
    struct Reference {
        let module: ModuleID
        let id: RecordID
        let field: String
        let path: JSONPath
    }

    let catalog: Catalog
    let module: Module
    /// Keys of fields hidden from the caller are as unknown ones; what the caller may only read is refused.
    let access: AccessPolicy
    /// Whether naming a layout switches its mandatory fields on. Bulk writes do without (`bulk-write.md`, 246).
    let enforcesLayout: Bool

    init(catalog: Catalog, module: Module, access: AccessPolicy, for origin: Origin = .api) {
        self.catalog = catalog
        self.module = module
        self.access = access
        enforcesLayout = origin != .bulkWrite
    }

    func decode(_ item: JSONCursor, into record: Record, _ kind: PendingChange.Kind) throws(Rejection) -> (PendingChange, [Reference]) {
        var change = PendingChange(kind: kind, before: kind == .update ? record : nil, after: record, path: item.path)
        var references: [Reference] = []
        let members = try item.object()
        change.given.reserveCapacity(members.count)
        for member in members {
            guard let field = module.writtenField(member.name), member.name != "id" else { continue }
            // A key that cannot be written is ignored, as an unknown one is (`common.md` §10).
            guard kind == .insert ? field.creatable : field.settable else { continue }
            let input = JSONCursor(member.value, at: item.path.appending(member.name))
            switch access.right(on: field) {
            case .hidden: continue
            case .readOnly: throw .readOnlyField(at: input.path)
            case .readWrite: break
            }
            if field.apiName == "Tag" {
                change.tags = try tags(input)
                continue
            }
            if field.columns.isEmpty, let rows = RowField(field, catalog) {
                change.rowEdits.append(try RowEdits(input, rows))
                continue
            }
            if field.holdsFiles {
                change.files.append(try FileEdits(input, field))
                continue
            }
            if field.isPerUser {
                change.externalValues[field.id] = .some(try decode(input, field).text)
                continue
            }
            // A photo has its own calls.
            guard !field.columns.isEmpty, field.type.dataType != "profileimage" else { continue }
            if field.apiName == "Discount", module.addsLinesUp, let percentage = LineMaths.percentage(input.value) {
                guard (0...100).contains(percentage) else { throw .invalid(at: input.path) }
                change.discountPercentage = percentage
                continue
            }
            var value = try decode(input, field)
            if case .reference(let id, let named) = value {
                let target = try target(of: field, named, item, record)
                value = .reference(id, field.isAnyLookup ? target : nil)
                try check(id, field, target, input, &references)
            }
            if field.type.comparison == .choices, item.value["$append_values"]?[member.name]?.bool == true {
                value = appended(value, to: record, field)
            }
            change.after.set(field, to: value.bind(field))
            change.given.insert(field.id)
        }
        try requireMandatory(change, item)
        return (change, references)
    }

    private func decode(_ input: JSONCursor, _ field: Field) throws(Rejection) -> FieldValue {
        // A text of nothing but blanks says nothing.
        if input.value.isNull || input.value.string?.isBlank == true { return .null }
        return try field.type.decode(input, field, catalog)
    }

    private func tags(_ input: JSONCursor) throws(Rejection) -> [String] {
        if input.value.isNull { return [] }
        var names: [String] = []
        for element in try input.elements(0...TagStore.limitPerRecord) {
            let name = element.value.string == nil ? try element.required("name") : element
            let text = try Tag.name(name)
            if !names.contains(text) { names.append(text) }
        }
        return names
    }

    /// The module a lookup's id belongs to: the field's own, or the one named beside it or inside the value.
    private func target(of field: Field, _ named: ModuleID?, _ item: JSONCursor, _ record: Record) throws(Rejection) -> ModuleID? {
        guard field.isAnyLookup else { return field.target }
        if let named { return named }
        for key in ["$se_module", "se_module"] {
            guard let given = item.optional(key), !given.value.isNull else { continue }
            let name = given.value.string ?? given.value["api_name"]?.string
            guard let module = name.flatMap({ catalog.module($0) }) else { throw .invalid(at: given.path) }
            return module.id
        }
        if let stored = record.columns(of: field).last?.integer { return ModuleID(raw: stored) }
        let key = field.apiName == "What_Id" ? "$se_module" : "module"
        throw Rejection(
            .dependentFieldMissing, .dependee(field.apiName, item.path.appending(field.apiName)), .apiName(key),
            .jsonPath(item.path.appending(key)))
    }

    private func check(_ id: RecordID, _ field: Field, _ target: ModuleID?, _ input: JSONCursor, _ references: inout [Reference])
        throws(Rejection)
    {
        switch field.type.cell {
        case .user:
            guard let user = catalog.user(UserID(raw: id.raw)), user.active || !field.needsActiveUser else {
                throw .invalid(at: input.path, message: "the related id given seems to be invalid")
            }
        case .layout:
            let layouts = catalog.documents(.layout)
            guard layouts.contains(where: { $0.id == id && $0.parent?.raw == module.id.raw }) else { throw .invalid(at: input.path) }
        default:
            guard let target else { return }
            references.append(Reference(module: target, id: id, field: field.apiName, path: input.path))
        }
    }

    private func appended(_ value: FieldValue, to record: Record, _ field: Field) -> FieldValue {
        let stored = record[field].text.flatMap { try? JSONValue.parse(Array($0.utf8)) }
        var chosen = (stored?.array ?? []).compactMap(\.string)
        if case .choices(let added) = value { chosen += added.filter { !chosen.contains($0) } }
        return chosen.isEmpty ? .null : .choices(chosen)
    }

    private func requireMandatory(_ change: PendingChange, _ item: JSONCursor) throws(Rejection) {
        let required = enforcesLayout ? requiredByLayout(item) : []
        for field in module.fields where (field.systemMandatory || required.contains(field.apiName)) && !field.columns.isEmpty {
            guard change.kind == .insert || change.given.contains(field.id) else { continue }
            // Nobody is asked for what they may not give.
            if change.after[field].isNull, access.right(on: field) == .readWrite { throw .missing(field.apiName, at: item.path) }
        }
    }

    /// Naming a layout switches its mandatory fields on (`records.md`, "Per-record keys on write").
    private func requiredByLayout(_ item: JSONCursor) -> Set<String> {
        guard let given = item.value["Layout"], let id = (given["id"] ?? given).looseInt64,
            let layout = catalog.documents(.layout).first(where: { $0.id.raw == id && $0.parent?.raw == module.id.raw })
        else { return [] }
        let sections = layout.body["sections"]?.array ?? []
        let fields = sections.flatMap { $0["fields"]?.array ?? [] }
        return Set(fields.filter { $0["required"]?.bool == true }.compactMap { $0["api_name"]?.string })
    }
}

extension Module {
    /// A field as write bodies name it. Line items of purchase orders go by two names (`records.md`, section notes).
    fileprivate func writtenField(_ name: String) -> Field? {
        switch name {
        case "Purchased_Items": field("Purchase_Items")
        // The page of appointments leaves the suffix out (`appointments.md`, 150).
        case "Job_Sheet_Name": field("Job_Sheet_Name__s") ?? field(name)
        default: field(name)
        }
    }
}

extension Rejection {
    /// A field that the caller's profile may read and not write.
    static func readOnlyField(at path: JSONPath) -> Rejection {
        Rejection(.noPermission, message: "permission denied to update the field", .apiName(path.name), .jsonPath(path))
    }
}

extension Field {
    /// Records are owned by, and linked to, people who can still sign in.
    fileprivate var needsActiveUser: Bool { apiName == "Owner" || body["link_side"]?.bool == true }
}
