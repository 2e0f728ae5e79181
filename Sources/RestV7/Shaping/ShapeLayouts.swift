import CRMCore
import HTTPShell
import Metadata
import Wire

/// The layout of a path, the module of the parameter, and where its records go.
struct LayoutTarget: EndpointInput {
    let module: ModuleID
    let layout: RecordID

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        module = try ModuleParameter(request, context).module.id
        try context.access.require(permission: SettingsPermission.customize)
        guard let id = RecordID(request.path["layout_id"] ?? "") else { throw .unknownItem }
        layout = id
    }

    func answer(_ message: String, _ context: RequestContext, _ body: @Sendable @escaping (LayoutShaper) throws -> Void) async throws
        -> Reply
    {
        let results = try await context.changeEach([layout]) { item, scope in
            try body(LayoutShaper(scope, layout: item, of: module))
            return item
        }
        return .items("layouts", results, saying: message)
    }
}

/// With the one object of a body.
struct LayoutBody: EndpointInput {
    let target: LayoutTarget
    let item: JSONCursor

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        target = try LayoutTarget(request, context)
        item = try request.json().items("layouts", limit: 1)[0]
        _ = try item.object()
    }
}

/// With the layout that takes the records.
struct LayoutTransfer: EndpointInput {
    let target: LayoutTarget
    let heir: RecordID

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        target = try LayoutTarget(request, context)
        guard let text = request.query("transfer_to"), !text.isEmpty else { throw .missingParameter("transfer_to") }
        guard let heir = RecordID(text) else { throw .invalidParameter("transfer_to") }
        self.heir = heir
    }
}

/// Contract: layouts, U11.
enum ActivateLayout: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/layouts/{layout_id}/actions/activate", entry: "U11", scope: .fixed(["ZohoCRM.settings.layouts.CREATE"]))

    static func respond(_ input: LayoutBody, _ context: RequestContext) async throws -> Reply {
        try await input.target.answer("layout activated", context) { try $0.activate(input.item) }
    }
}

/// Contract: layouts, U12.
enum DeactivateLayout: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/layouts/{layout_id}/actions/activate", entry: "U12", scope: .fixed(["ZohoCRM.settings.layouts.DELETE"]))

    static func respond(_ input: LayoutTransfer, _ context: RequestContext) async throws -> Reply {
        try await input.target.answer("layout deactivated", context) { try $0.deactivate(to: input.heir) }
    }
}

/// Contract: layouts, U13.
enum UpdateLayout: Endpoint {
    static let declaration = Declaration(
        .patch, "/crm/v7/settings/layouts/{layout_id}", entry: "U13", scope: .fixed(["ZohoCRM.settings.layouts.UPDATE"]))

    static func respond(_ input: LayoutBody, _ context: RequestContext) async throws -> Reply {
        try await input.target.answer("layout updated", context) { try $0.update(input.item) }
    }
}

/// Contract: layouts, U14.
enum DeleteLayout: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/layouts/{layout_id}", entry: "U14", scope: .fixed(["ZohoCRM.settings.layouts.DELETE"]))

    static func respond(_ input: LayoutTransfer, _ context: RequestContext) async throws -> Reply {
        try await input.target.answer("layout deleted", context) { try $0.delete(to: input.heir) }
    }
}
