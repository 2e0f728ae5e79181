import CRMCore
import HTTPShell
import Metadata
import Wire

/// The module whose fields a call shapes, and the caller's right to.
struct FieldsTarget: EndpointInput {
    let module: ModuleID

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        let module = try ModuleParameter(request, context).module
        guard FieldShaper.isOpen(module) else { throw Rejection(.invalidModule, .parameter("module")) }
        try context.access.require(permission: SettingsPermission.customize)
        self.module = module.id
    }

    /// The shaper on the newest catalog; the module may have gone meanwhile.
    func shaper(_ scope: MetadataScope) throws(Rejection) -> FieldShaper {
        guard let shaper = FieldShaper(scope, module: module) else { throw Rejection(.invalidModule, .parameter("module")) }
        return shaper
    }
}

/// Makes fields. Contract: fields, U6.
enum CreateFields: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/fields", entry: "U6", scope: .fixed(["ZohoCRM.settings.fields.CREATE"]))

    struct Input: EndpointInput {
        let target: FieldsTarget
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            target = try FieldsTarget(request, context)
            items = try request.json().items("fields", limit: 5)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach(input.items) { item, scope in
            try input.target.shaper(scope).create(item)
        }
        return .items("fields", results, saying: "field created", success: 201)
    }
}

/// Changes fields. Contract: fields, U7.
enum UpdateFields: Endpoint {
    static let declaration = Declaration(
        .patch, "/crm/v7/settings/fields", entry: "U7", scope: .fixed(["ZohoCRM.settings.fields.UPDATE"]))

    struct Change: Sendable {
        /// Nil when the item names none, which is its own refusal.
        let id: FieldID?
        let item: JSONCursor
    }

    struct Input: OneOrManyInput {
        let target: FieldsTarget
        let changes: [Change]

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            target = try FieldsTarget(request, context)
            changes = try request.json().items("fields", limit: 5).map {
                Change(id: $0.value["id"]?.looseInt64.map(FieldID.init(raw:)), item: $0)
            }
        }

        /// The field of the path, whatever the body says.
        init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            target = try FieldsTarget(request, context)
            guard let id = RecordID(request.path["field_id"] ?? "") else { throw Rejection(.invalidData, .resourcePathIndex(0)) }
            changes = try request.json().items("fields", limit: 1).map { Change(id: FieldID(raw: id.raw), item: $0) }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach(input.changes) { change, scope in
            _ = try change.item.object()
            guard let id = change.id else {
                _ = try change.item.ownID()
                throw Rejection.missing("id", at: change.item.path)
            }
            return try input.target.shaper(scope).update(id, change.item, idPath: change.item.path.appending("id"))
        }
        return .items("fields", results, saying: "field updated")
    }
}

/// Changes the field of the path. Contract: fields, U7.
enum UpdateField: ForOne {
    typealias Work = UpdateFields
    static let declaration = Declaration(
        .patch, "/crm/v7/settings/fields/{field_id}", entry: "U7", scope: .fixed(["ZohoCRM.settings.fields.UPDATE"]))
}

/// Deletes a field. Contract: fields, U8.
enum DeleteField: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/fields/{field_id}", entry: "U8", scope: .fixed(["ZohoCRM.settings.fields.DELETE"]))

    struct Input: EndpointInput {
        let target: FieldsTarget
        let id: FieldID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            target = try FieldsTarget(request, context)
            guard let id = RecordID(request.path["field_id"] ?? "") else { throw Rejection(.invalidData, .resourcePathIndex(0)) }
            self.id = FieldID(raw: id.raw)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach([input.id]) { item, scope in
            try input.target.shaper(scope).delete(item)
        }
        return .items("fields", results, saying: "field deleted")
    }
}

/// The options of a picklist. Contract: fields, U9.
enum ListPickListValues: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/fields/{field_id}/pick_list_values", entry: "U9", scope: .fixed(["ZohoCRM.settings.fields.READ"]))

    struct Input: EndpointInput {
        let module: Module
        let field: Field
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let module = try ModuleParameter(request, context).module
            let field = RecordID(request.path["field_id"] ?? "").flatMap { module.field(FieldID(raw: $0.raw)) }
            guard let field, ["picklist", "multiselectpicklist"].contains(field.type.dataType) else {
                throw Rejection(.invalidData, .resourcePathIndex(0))
            }
            self.module = module
            self.field = field
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let answers = MetadataAnswers(catalog: context.metadata)
        let field = answers.field(input.field, of: input.module)
        let values = (field["pick_list_values"]?.array ?? []).map { value -> JSONValue in
            var value = value
            value["layout_associations"] = field["layout_associations"] ?? []
            return value
        }
        return values.isEmpty ? .nothing : .json(["pick_list_values": .array(values)])
    }
}
