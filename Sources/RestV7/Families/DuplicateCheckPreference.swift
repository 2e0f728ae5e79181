import CRMCore
import HTTPShell
import Metadata
import Wire

/// One preference, not a list of items: its calls are ordinary endpoints. Contract: duplicate-check-option, 28 to 31.
let duplicateCheckEndpoints: [any Endpoint.Type] = [
    GetDuplicateCheck.self, EnableDuplicateCheck.self, ChangeDuplicateCheck.self, DisableDuplicateCheck.self,
]

private let path = "/crm/v7/settings/duplicate_check_preference"
private let scopes = "ZohoCRM.settings.duplicate_check_preference"
private let wrapper = "duplicate_check_preference"

/// The module of the parameter, which must be Leads.
private func leads(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> ModuleID {
    let module = try ModuleParameter(request, context).module
    guard module.apiName == "Leads" else { throw Rejection(.notSupported, .parameter("module")) }
    return module.id
}

/// What POST and PUT take.
struct DuplicateCheckBody: EndpointInput {
    let module: ModuleID
    let item: JSONCursor

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        module = try leads(request, context)
        try context.access.require(permission: SettingsPermission.customize)
        item = try request.json().required(wrapper)
        _ = try item.object()
    }

    /// Writes the preference, or answers inside the wrapper why not.
    func write(_ context: RequestContext, _ body: @Sendable @escaping (Module, Document?, JSONValue, MetadataScope) throws -> String)
        async throws -> Reply
    {
        let results = try await context.changeEach([item]) { item, scope in
            guard let module = scope.catalog.module(id: module) else { throw Rejection(.invalidModule, .parameter("module")) }
            let existing = DuplicateCheck(module, scope.catalog)?.document
            return try body(module, existing, DuplicateCheck.read(item, for: module, scope.catalog), scope)
        }
        switch results[0] {
        case .success(let message): return .json([wrapper: .success(message)])
        case .failure(let rejection): return .json([wrapper: rejection.result], status: rejection.status)
        }
    }
}

enum EnableDuplicateCheck: Endpoint {
    static let declaration = Declaration(.post, path, entry: "28", scope: .fixed(["\(scopes).CREATE"]))

    static func respond(_ input: DuplicateCheckBody, _ context: RequestContext) async throws -> Reply {
        try await input.write(context) { module, existing, body, scope in
            if existing != nil { throw Rejection(.alreadyConfigured, message: "already configured.") }
            try scope.add(.duplicateCheck, module.apiName, body, parent: RecordID(raw: module.id.raw))
            return "Duplicate check enabled for \(body["type"]?.string ?? "") successfully."
        }
    }
}

enum ChangeDuplicateCheck: Endpoint {
    static let declaration = Declaration(.put, path, entry: "30", scope: .fixed(["\(scopes).UPDATE"]))

    static func respond(_ input: DuplicateCheckBody, _ context: RequestContext) async throws -> Reply {
        try await input.write(context) { _, existing, body, scope in
            guard let existing else { throw Rejection(.featureNotSupported) }
            try scope.replace(existing.id, body: body)
            return "Field mapping updated successfully."
        }
    }
}

enum GetDuplicateCheck: Endpoint {
    static let declaration = Declaration(.get, path, entry: "29", scope: .fixed(["\(scopes).READ"]))

    struct Input: EndpointInput {
        let module: ModuleID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { module = try leads(request, context) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let module = context.catalog.module(id: input.module), let check = DuplicateCheck(module, context.catalog) else {
            return .nothing
        }
        guard check.kind == .mapped, let target = check.target else {
            return .json([wrapper: ["type": .string(check.kind.rawValue), "type_configurations": .null]])
        }
        func field(_ field: Field, _ module: Module) -> JSONValue {
            ["api_name": .string(field.apiName), "name": .string(module.apiName), "id": .string(String(field.id.raw))]
        }
        let mappings = check.mappings.map {
            ["mapped_field": field($0.mapped, target), "current_field": field($0.current, module)] as JSONValue
        }
        let mapped: JSONValue = [
            "api_name": .string(target.apiName), "name": .string(target.apiName), "id": .string(String(target.id.raw)),
        ]
        return .json([
            wrapper: [
                "type": .string(check.kind.rawValue),
                "type_configurations": [["field_mappings": .array(mappings), "mapped_module": mapped]],
            ]
        ])
    }
}

enum DisableDuplicateCheck: Endpoint {
    static let declaration = Declaration(.delete, path, entry: "31", scope: .fixed(["\(scopes).DELETE"]))

    struct Input: EndpointInput {
        let module: ModuleID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try leads(request, context)
            try context.access.require(permission: SettingsPermission.customize)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let kind = try await context.services.changeMetadata(by: context.access.user) { scope in
            guard let check = scope.catalog.module(id: input.module).flatMap({ DuplicateCheck($0, scope.catalog) }) else {
                throw Rejection(.featureNotSupported)
            }
            try scope.remove([check.document.id])
            return check.kind
        }
        return .json([wrapper: .success("Duplicate check disabled for \(kind.rawValue) successfully.")])
    }
}
