import CRMCore
import HTTPShell
import Metadata
import Wire

/// What assigning and removing have in common: a module with territories, and items that name records and territories.
struct TerritoryCall: OneOrManyInput {
    let module: Module
    let items: [JSONCursor]

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        module = try Self.module(request, context)
        items = try request.json().items("data")
    }

    /// The record of the path, whatever the body says.
    init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        module = try Self.module(request, context)
        let id = try request.recordID()
        items = try request.json().items("data", limit: 1).map { $0.naming(id) }
    }

    private static func module(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> Module {
        let module = try request.module(context)
        guard TerritorySetup.supports(module) else { throw .invalidModule() }
        try TerritorySetup.require(context.catalog)
        return module
    }

    func reply(_ action: TerritoryAssignment.Action, _ message: String, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            let key = module.apiName == "Deals" && items.contains { $0.value["Territories"] == nil } ? "Territory" : "Territories"
            return try TerritoryAssignment(action, module).apply(to: items, key: key, scope)
        }
        // It is done already; there is no call that would tell how far such a job has come.
        return .items(
            "data",
            outcomes.map { outcome in
                outcome.map { .success(message, code: "SCHEDULED", details: ["job_id": .id(context.services.ids.next()), "id": .id($0)]) }
            })
    }
}

/// Puts records into territories. Contract: territories, 8.
enum AssignTerritories: Endpoint {
    static let declaration = Declaration(.post, "/crm/v7/{module}/actions/assign_territories", entry: "8", scope: .modules(["UPDATE"]))

    static func respond(_ input: TerritoryCall, _ context: RequestContext) async throws -> Reply {
        try await input.reply(.assign, "Territory assignment process scheduled successfully", context)
    }
}

/// Puts the record of the path into territories. Contract: territories, 8.
enum AssignTerritoriesToOne: ForOne {
    typealias Work = AssignTerritories
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/assign_territories", entry: "8", scope: .modules(["UPDATE"]))
}

/// Takes records out of territories. Contract: territories, 7.
enum RemoveTerritories: Endpoint {
    static let declaration = Declaration(.post, "/crm/v7/{module}/actions/remove_territories", entry: "7", scope: .modules(["UPDATE"]))

    static func respond(_ input: TerritoryCall, _ context: RequestContext) async throws -> Reply {
        try await input.reply(.remove, "Territory removal process scheduled successfully", context)
    }
}

/// Takes the record of the path out of territories. Contract: territories, 7.
enum RemoveTerritoriesFromOne: ForOne {
    typealias Work = RemoveTerritories
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/remove_territories", entry: "7", scope: .modules(["UPDATE"]))
}
