import Metadata
import Wire

/// The linking module behind a multi-select or multi-user lookup, with a related list on each side that has any, and for two
/// modules of records a field of the same kind on the other side. Contract: `metadata/types.md`, "POST /settings/fields".
struct LinkCompanion: FieldCompanion {
    let connected: Module
    let linkName: String
    let linkLabel: String
    /// The lookups of the linking module: to the field's own module, and to the connected one.
    let mine: String
    let theirs: String
    let toUsers: Bool
    /// The field on the other side.
    let reverse: (name: String, label: String)?
    let key: String

    static func read(_ draft: FieldDraft, apiName: String, label: String) throws(Rejection) -> LinkCompanion {
        let item = draft.item
        let catalog = draft.scope.catalog
        let key = draft.kind.dataType
        let toUsers = key == "multiuserlookup"
        guard let given = item.optional(key), !given.value.isNull else { throw .dependent(key, on: "data_type", at: item.path) }
        guard ["custom", "default"].contains(draft.module.generatedType) else { throw .notAllowed(at: item.path.appending("data_type")) }
        let details = given.optional("connected_details").flatMap { $0.value.isNull ? nil : $0 }
        let connected = try connectedModule(details, given, toUsers: toUsers, catalog)
        let reverse = toUsers ? nil : try reverseField(details, connected, draft.module, label, catalog)
        let linking = try given.required("linking_details").required("module")
        let plural = try linking.required("plural_label")
        let text = try plural.string(max: 25, min: 1)
        guard MadeName.isPlainLabel(text) else { throw .invalid(at: plural.path) }
        guard !catalog.modules.contains(where: { $0.body["plural_label"]?.string?.lowercased() == text.lowercased() }) else {
            throw .duplicate(at: plural.path)
        }
        let mine = MadeName.derived(from: draft.module.singularLabel)
        let other = toUsers ? "User" : MadeName.derived(from: connected.singularLabel)
        return LinkCompanion(
            connected: connected,
            linkName: MadeName.derived(from: text) { catalog.module($0) != nil || ReservedWords.modules.contains($0.lowercased()) },
            linkLabel: text, mine: mine, theirs: other == mine ? "Related_\(other)" : other, toUsers: toUsers, reverse: reverse, key: key)
    }

    private static func connectedModule(_ details: JSONCursor?, _ given: JSONCursor, toUsers: Bool, _ catalog: Catalog) throws(Rejection)
        -> Module
    {
        if toUsers, let users = catalog.module("Users") { return users }
        guard let details else { throw .missing("connected_details", at: given.path) }
        let named = try details.required("module")
        let module = try NamedModule.read(named, catalog)
        guard module.table != nil, module.displayField != nil, ["custom", "default"].contains(module.generatedType) else {
            throw .invalid(at: named.path)
        }
        return module
    }

    private static func reverseField(
        _ details: JSONCursor?, _ connected: Module, _ own: Module, _ ownLabel: String, _ catalog: Catalog
    ) throws(Rejection) -> (String, String)? {
        guard let field = details?.optional("field"), !field.value.isNull else { return nil }
        let label = try field.required("field_label")
        let text = try label.string(max: FieldLabel.limit, min: 1)
        guard FieldLabel.isPlain(text) else { throw .invalid(at: label.path) }
        let taken =
            connected.fields.contains { $0.label.lowercased() == text.lowercased() }
            || (connected === own && text.lowercased() == ownLabel.lowercased())
        if taken { throw .duplicate(at: label.path) }
        return (MadeName.derived(from: text) { connected.field($0) != nil }, text)
    }

    func complete(_ body: inout JSONValue, _ id: RecordID) {
        body[key] = facet(id, connected, mine: mine, theirs: theirs, other: reverse?.name)
    }

    private func facet(_ id: RecordID, _ to: Module, mine: String, theirs: String, other: String?) -> JSONValue {
        [
            "id": .id(id), "api_name": .string(linkName), "display_label": .string(linkLabel),
            "linking_module": ["api_name": .string(linkName)],
            "connected_module": ["api_name": .string(to.apiName)], "lookup_apiname": .string(mine),
            "connectedlookup_apiname": .string(theirs),
            "connectedfield_apiname": other.map(JSONValue.string) ?? .null, "record_access": false,
        ]
    }

    func write(_ id: RecordID, _ draft: FieldDraft, apiName: String, label: String) throws {
        let scope = draft.scope
        let own = draft.module
        try LinkingModule(name: linkName, label: linkLabel, left: (mine, own), right: (theirs, connected), toUsers: toUsers, field: id)
            .write(scope)
        if toUsers {
            let lists = RelatedLists(scope.catalog, of: own)
            try lists.add(lists.newName(label), label: label, of: linkName, via: "\(linkName).\(mine)", field: id, linking: linkName, scope)
            return
        }
        let lists = RelatedLists(scope.catalog, of: own)
        let name = lists.newName(label)
        try lists.add(name, label: label, of: connected.apiName, via: "through \(linkName).\(mine)", field: id, linking: linkName, scope)
        let others = RelatedLists(scope.catalog, of: connected)
        let otherLabel = reverse?.label ?? own.body["plural_label"]?.string ?? own.apiName
        try others.add(
            others.newName(otherLabel, besides: connected === own ? name : nil), label: otherLabel, of: own.apiName,
            via: "through \(linkName).\(theirs)", field: id,
            linking: linkName, scope)
        guard let reverse else { return }
        let reverseID = scope.ids.next()
        var body = draft.body
        body[key] = facet(reverseID, own, mine: theirs, theirs: mine, other: apiName)
        for (key, value) in [("api_name", reverse.name), ("field_label", reverse.label), ("display_label", reverse.label)] {
            body[key] = .string(value)
        }
        body["reverse_of"] = .id(id)
        body["columns"] = []
        try scope.add(.field, reverse.name, body, parent: RecordID(raw: connected.id.raw), id: reverseID)
    }
}

/// A linking module made at run time: two lookups that make a pair, and what every record has.
struct LinkingModule {
    let name: String
    let label: String
    let left: (field: String, module: Module)
    let right: (field: String, module: Module)
    let toUsers: Bool
    /// The field it serves, and goes with.
    let field: RecordID

    func write(_ scope: MetadataScope) throws {
        let id = scope.ids.next()
        let template = try ModuleTemplate(
            .linking,
            words: [
                "singular_label": label, "lookup_a": left.field, "label_a": left.module.singularLabel, "module_a": left.module.apiName,
                "lookup_b": right.field, "label_b": toUsers ? "User" : right.module.singularLabel, "module_b": right.module.apiName,
            ])
        try scope.add(.module, name, body(id, scope), id: id)
        try scope.add(
            template.fields.map { field in
                Document(
                    id: scope.ids.next(), kind: .field, parent: id, apiName: field["api_name"]?.string,
                    body: PicklistValues.withIDs(template.stored(side(field)), scope.ids))
            })
    }

    /// Marks the two lookups as the pair, and makes the right one a lookup of users where that is wanted.
    private func side(_ field: JSONValue) -> JSONValue {
        guard let name = field["api_name"]?.string, name == left.field || name == right.field else { return field }
        var field = field
        field["link_side"] = true
        if name == right.field, toUsers { field["data_type"] = "userlookup" }
        return field
    }

    private func body(_ id: RecordID, _ scope: MetadataScope) -> JSONValue {
        let numbers = scope.catalog.modules.compactMap { $0.body["module_name"]?.string }.filter { $0.hasPrefix("LinkingModule") }
            .compactMap { Int($0.dropFirst("LinkingModule".count)) }
        return [
            "api_name": .string(name), "module_name": .string("LinkingModule\((numbers.max() ?? 0) + 1)"), "singular_label": .string(label),
            "plural_label": .string(label), "actual_singular_label": .string(label), "actual_plural_label": .string(label),
            "generated_type": "linking",
            "status": "visible", "visibility": 1, "show_as_tab": false, "sequence_number": .null,
            "table": .string(PhysicalName.table(of: name, number: id.raw)),
            "of_field": .id(field), "modified_by": scope.actor, "modified_time": scope.time,
        ]
    }
}
