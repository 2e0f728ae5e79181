import Metadata
import Wire

/// What comes into being with a field besides the field itself.
protocol FieldCompanion {
    /// Adds what the field says about its companion.
    func complete(_ body: inout JSONValue, _ id: RecordID)
    func write(_ id: RecordID, _ draft: FieldDraft, apiName: String, label: String) throws
}

/// A lookup's related list in the module it points into.
struct LookupCompanion: FieldCompanion {
    let target: Module
    let listName: String
    let listLabel: String
    let filter: JSONValue
    let revalidates: Bool

    static func read(_ draft: FieldDraft, apiName: String) throws(Rejection) -> LookupCompanion {
        let item = draft.item
        let catalog = draft.scope.catalog
        guard let lookup = item.optional("lookup"), !lookup.value.isNull else { throw .dependent("lookup", on: "data_type", at: item.path) }
        let given = try lookup.required("module")
        let target = try NamedModule.read(given, catalog)
        guard target.table != nil, target.displayField != nil, target.generatedType != "linking" else { throw .invalid(at: given.path) }
        let label = try lookup.required("display_label")
        let text = try label.string(max: FieldLabel.limit, min: 1)
        guard FieldLabel.isPlain(text) else { throw .invalid(at: label.path) }
        if RelatedLists(catalog, of: target).hasLabel(text) { throw .duplicate(at: label.path) }
        var filter: JSONValue = [:]
        if let query = lookup.optional("query_details"), let criteria = query.optional("criteria"), !criteria.value.isNull {
            // A filter that cannot be understood would never let a record through.
            do { _ = try KeptCriteria.read(criteria, of: target, draft.scope) } catch { throw .invalid(at: criteria.path) }
            filter = ["criteria": criteria.value]
        }
        return LookupCompanion(
            target: target, listName: RelatedLists(catalog, of: target).newName(text), listLabel: text, filter: filter,
            revalidates: try lookup.optional("revalidate_filter_during_edit")?.bool() ?? false)
    }

    func complete(_ body: inout JSONValue, _ id: RecordID) {
        body["lookup"] = [
            "module": ["api_name": .string(target.apiName)], "api_name": .string(listName), "display_label": .string(listLabel),
            "revalidate_filter_during_edit": .bool(revalidates), "query_details": filter,
        ]
    }

    func write(_ id: RecordID, _ draft: FieldDraft, apiName: String, label: String) throws {
        let lists = RelatedLists(draft.scope.catalog, of: target)
        try lists.add(
            listName, label: listLabel, of: draft.module.apiName, via: "\(draft.module.apiName).\(apiName)", field: id, draft.scope)
    }
}

/// The related lists of a module, for adding one.
struct RelatedLists {
    private let catalog: Catalog
    private let owner: Module

    init(_ catalog: Catalog, of owner: Module) {
        self.catalog = catalog
        self.owner = owner
    }

    func hasLabel(_ label: String) -> Bool {
        catalog.relatedLists(of: owner.id).contains { $0.body["display_label"]?.string?.lowercased() == label.lowercased() }
    }

    func newName(_ label: String, besides other: String? = nil) -> String {
        MadeName.derived(from: label) { name in name == other || catalog.relatedList(name, of: owner.id) != nil }
    }

    /// `field` is the one the list goes with: it is removed when that field is.
    func add(_ name: String, label: String, of module: String, via: String, field: RecordID, linking: String? = nil, _ scope: MetadataScope)
        throws
    {
        let last = catalog.relatedLists(of: owner.id).compactMap { $0.body["sequence_number"]?.looseInt64 }.max() ?? 0
        var body: JSONValue = [
            "api_name": .string(name), "display_label": .string(label), "name": .string(name), "module": ["api_name": .string(module)],
            "href": .string("\(owner.apiName)/{ENTITYID}/\(name)"), "sequence_number": .string(String(last + 1)),
            "type": .string(linking == nil ? "custom_lookup" : "multiselectlookup"), "customize_display_label": true, "via": .string(via),
            "of_field": .id(field),
        ]
        if let linking { body["linkingmodule"] = .string(linking) }
        try scope.add(.relatedList, name, body, parent: RecordID(raw: owner.id.raw))
    }
}
