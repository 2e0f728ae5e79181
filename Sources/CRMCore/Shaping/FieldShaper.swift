import Metadata
import SQLStore
import Wire

/// Makes, changes and deletes the fields of an organisation. Contract: fields, U6 to U8.
package struct FieldShaper {
    /// The count of the largest edition; with the standard fields it stays below both engines' limits on columns.
    static let customLimit = 500
    static let uniqueLimit = 2

    let scope: MetadataScope
    let module: Module
    var catalog: Catalog { scope.catalog }

    /// `nil` when the module takes no fields of the organisation.
    package init?(_ scope: MetadataScope, module id: ModuleID) {
        guard let module = scope.catalog.module(id: id), Self.isOpen(module) else { return nil }
        self.scope = scope
        self.module = module
    }

    /// The modules whose fields can be shaped (`fields.md`, section note).
    package static func isOpen(_ module: Module) -> Bool {
        let standard: Set<String> = [
            "Leads", "Accounts", "Contacts", "Deals", "Campaigns", "Tasks", "Cases", "Events", "Calls", "Solutions", "Products", "Vendors",
            "Price_Books",
            "Quotes", "Sales_Orders", "Purchase_Orders", "Invoices", "Appointments__s", "Services__s", "DealHistory", "Quoted_Items",
            "Ordered_Items",
            "Purchase_Items", "Invoiced_Items", "Visits",
        ]
        return module.table != nil
            && (standard.contains(module.apiName) || ["custom", "linking", "subform"].contains(module.generatedType))
    }

    package func create(_ item: JSONCursor) throws -> RecordID {
        let custom = module.fields.filter(\.custom)
        guard custom.count < Self.customLimit else {
            throw Rejection(.limitExceeded, .apiName("fields"), .jsonPath(item.path), .other("limit", .integer(Self.customLimit)))
        }
        let label = try label(item, except: nil)
        let typeGiven = try item.required("data_type")
        let typeName = try typeGiven.string()
        guard let kind = FieldKind.named(typeName) else { throw Rejection.unsupported(FieldKind.all.map(\.dataType), at: typeGiven.path) }
        let apiName = try apiName(item, label)
        let id = scope.ids.next()
        var draft = FieldDraft(kind: kind, item: item, module: module, scope: scope)
        try draft.readLength()
        try draft.readType(id, apiName: apiName, label: label)
        try draft.readCommon()
        var body = draft.body
        body["api_name"] = .string(apiName)
        body["field_label"] = .string(label)
        body["display_label"] = .string(label)
        body["created_time"] = scope.time
        body["modified_time"] = scope.time
        let type = FieldType.of(typeName, body, field: apiName)
        body["columns"] = .array(PhysicalName.columns(of: apiName, type, number: id.raw).map(JSONValue.string))
        try scope.add(.field, apiName, body, parent: RecordID(raw: module.id.raw), id: id)
        try addToStandardLayout(apiName)
        try draft.writeCompanions(id, apiName: apiName, label: label)
        if kind.isComputedFromOthers { try RecomputeJob.enqueue(module, scope) }
        return id
    }

    func label(_ item: JSONCursor, except own: Field?) throws(Rejection) -> String {
        let given = try item.required("field_label")
        let text = try given.string(max: FieldLabel.limit, min: 1)
        guard FieldLabel.isPlain(text) else { throw .invalid(at: given.path) }
        let folded = text.lowercased()
        guard !module.fields.contains(where: { $0.id != own?.id && $0.label.lowercased() == folded }) else {
            throw .duplicate(at: given.path)
        }
        return text
    }

    private func apiName(_ item: JSONCursor, _ label: String) throws(Rejection) -> String {
        func isTaken(_ name: String) -> Bool { module.fields.contains { $0.apiName.lowercased() == name.lowercased() } }
        func isReserved(_ name: String) -> Bool { ReservedWords.fields.contains(name.lowercased()) }
        guard let given = item.optional("api_name"), !given.value.isNull else {
            return MadeName.derived(from: label) { isTaken($0) || isReserved($0) }
        }
        let name = try given.string(max: 50, min: 1)
        if isReserved(name) { throw Rejection(.reservedKeywordNotAllowed, .apiName("api_name"), .jsonPath(given.path)) }
        guard MadeName.isValid(name) else { throw .invalid(at: given.path) }
        if isTaken(name) { throw .duplicate(at: given.path) }
        return name
    }

    /// A new field stands last in the first section that is not for the picture.
    private func addToStandardLayout(_ apiName: String) throws {
        guard let layout = catalog.documents(.layout).first(where: { $0.parent?.raw == module.id.raw }) else { return }
        var sections = layout.body["sections"]?.array ?? []
        let isPicture = { (section: JSONValue) in section["fields"]?.array?.first?["api_name"] == "Record_Image" }
        guard let index = sections.firstIndex(where: { !isPicture($0) && $0["isSubformSection"]?.bool != true }) else { return }
        var fields = sections[index]["fields"]?.array ?? []
        let last = fields.compactMap { $0["sequence_number"]?.int64 }.max() ?? 0
        fields.append(["api_name": .string(apiName), "sequence_number": .integer(last + 1), "required": false])
        sections[index]["fields"] = .array(fields)
        var body = layout.body
        body["sections"] = .array(sections)
        try scope.replace(layout.id, body: body)
    }
}
