import CRMCore
import HTTPShell
import Metadata
import Wire

/// Sets the order in which a view shows its records. Contract: custom-views, U21.
enum ChangeViewSorts: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/custom_views/actions/change_sort", entry: "U21", scope: .fixed(["ZohoCRM.settings.custom_views.UPDATE"]))

    struct Input: EndpointInput {
        let module: ModuleID
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try ModuleParameter(request, context).module.id
            try context.access.require(permission: SettingsPermission.views)
            items = try request.json().items("custom_views")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach(input.items) { item, scope in
            let id = try item.required("id")
            let wanted = try id.recordID()
            return try change(wanted, at: id.path, item, input.module, scope)
        }
        return .items("custom_views", results, saying: "custom view updated")
    }

    static func change(_ id: RecordID, at path: JSONPath?, _ item: JSONCursor, _ module: ModuleID, _ scope: MetadataScope) throws
        -> RecordID
    {
        guard let module = scope.catalog.module(id: module),
            let view = scope.catalog.documents(.customView).first(where: { $0.id == id && $0.parent?.raw == module.id.raw })
        else { throw path.map { Rejection.invalid(at: $0) } ?? Rejection.unknownItem }
        let by = try item.required("sort_by")
        let order = try item.required("sort_order")
        let named = (by.value["api_name"]?.string).flatMap { module.field($0) }
        let numbered = try by.ownID().flatMap { module.field(FieldID(raw: $0.raw)) }
        guard let field = named ?? numbered, named == nil || numbered == nil || named === numbered, field.body["sortable"]?.bool != false,
            !field.columns.isEmpty, !field.isEncrypted
        else {
            throw Rejection.invalid(at: by.path)
        }
        guard let direction = order.value.string, ["asc", "desc"].contains(direction) else {
            throw Rejection.unsupported(["asc", "desc"], at: order.path)
        }
        var body = view.body
        body["sort_by"] = ["api_name": .string(field.apiName), "id": .string(String(field.id.raw))]
        body["sort_order"] = .string(direction)
        body["modified_by"] = scope.actor
        body["modified_time"] = scope.time
        try scope.replace(id, body: body)
        return id
    }
}

/// The same for the view of the path. Contract: custom-views, U21.
enum ChangeViewSort: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/custom_views/{view_id}/actions/change_sort", entry: "U21",
        scope: .fixed(["ZohoCRM.settings.custom_views.UPDATE"]))

    struct Input: EndpointInput {
        let module: ModuleID
        let id: RecordID
        let item: JSONCursor
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try ModuleParameter(request, context).module.id
            try context.access.require(permission: SettingsPermission.views)
            guard let id = RecordID(request.path["view_id"] ?? "") else { throw .unknownItem }
            self.id = id
            item = try request.json().items("custom_views", limit: 1)[0]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach([input.item]) { item, scope in
            try ChangeViewSorts.change(input.id, at: nil, item, input.module, scope)
        }
        return .items("custom_views", results, saying: "custom view updated")
    }
}
