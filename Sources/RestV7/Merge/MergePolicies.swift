import CRMCore
import HTTPShell
import Metadata
import Wire

/// Tells a module's policy.
enum GetMergePolicy: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/merge_policy", entry: "", scope: .fixed(["ZohoCRM.settings.merge_policy.READ"]))

    static func respond(_ input: ModuleParameter, _ context: RequestContext) async throws -> Reply {
        guard let stored = StoredPolicies.document(of: input.module, context.catalog) else { return .nothing }
        return .json(["merge_policy": stored.body])
    }
}

/// Stores a module's policy in place of the former one.
enum PutMergePolicy: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/merge_policy", entry: "", scope: .fixed(["ZohoCRM.settings.merge_policy.UPDATE"]))

    struct Input: EndpointInput {
        let module: Module
        let body: JSONValue

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try MergeService.module(ModuleParameter(request, context).module.apiName, context.catalog, context.access)
            let policy = try request.json().required("merge_policy")
            _ = try SurvivorshipPolicy(policy, for: module)
            body = policy.value
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await context.services.store(StoredPolicies.kind, for: input.module.id, input.body)
        return .json(["merge_policy": .success("merge policy stored")])
    }
}
