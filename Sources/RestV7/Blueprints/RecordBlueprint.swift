import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the two calls on a record's blueprint share.
private enum BlueprintPath {
    static func module(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> Module {
        let module = try request.module(context)
        guard Blueprint.supports(module) else { throw .invalidModule() }
        return module
    }
}

/// Where a record stands in its process, and what leads on. Contract: blueprint, 233.
enum GetRecordBlueprint: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/actions/blueprint", entry: "233", scope: .modules(["READ"]),
        support: .partial("escalations and parallel transitions"))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try BlueprintPath.module(request, context)
            id = try request.recordID()
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let view = try await context.records.blueprint(of: input.id, in: input.module)
        return .json(["blueprint": BlueprintAnswer(view: view, module: input.module, context: context).json])
    }
}

/// Takes a record along a transition. Contract: blueprint, 234.
enum PutRecordBlueprint: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/{module}/{id}/actions/blueprint", entry: "234", scope: .modules(["WRITE", "UPDATE"]),
        support: .partial("widgets, items of related lists, and fields of parent records"))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID
        let item: JSONCursor

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try BlueprintPath.module(request, context)
            id = try request.recordID()
            let body = try request.json()
            item = try body.items("blueprint", limit: 1)[0]
            _ = try item.object()
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcome = try await context.services.write(context.catalog, context.access, .blueprint) { scope in
            try TransitionRun(input.module, scope, on: input.id).run(input.item, on: input.id)
        }
        switch outcome {
        case .done: return .json(.success("transition updated successfully"))
        case .savedPartially: return .json(.success("transition saved partially"))
        }
    }
}

let blueprintEndpoints: [any Endpoint.Type] = BlueprintFamily.endpoints + [GetRecordBlueprint.self, PutRecordBlueprint.self]
