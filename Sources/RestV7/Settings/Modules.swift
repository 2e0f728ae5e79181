import CRMCore
import HTTPShell
import Metadata
import Wire

/// All modules. Contract: modules, U1.
enum ListModules: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/settings/modules", entry: "U1", scope: .fixed(["ZohoCRM.settings.modules.READ"]))

    struct Input: EndpointInput {
        let statuses: Set<String>?
        let since: Instant?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            statuses = request.query("status").flatMap { $0.isEmpty ? nil : Set($0.split(separator: ",").map(String.init)) }
            since = try request.instant(header: "If-Modified-Since")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let answers = MetadataAnswers(catalog: context.metadata)
        let changed = context.metadata.modules.filter { $0.body["listed"]?.bool != false && $0.changed(since: input.since) }
        if changed.isEmpty, input.since != nil { return .notModified }
        let shown = changed.map(answers.module)
        let wanted = shown.filter { module in input.statuses.map { $0.contains(module["status"]?.string ?? "") } ?? true }
        return wanted.isEmpty ? .nothing : .json(["modules": .array(wanted)])
    }
}

/// One module by API name or id. Contract: modules, U2.
enum GetModule: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/modules/{name}", entry: "U2", scope: .fixed(["ZohoCRM.settings.modules.READ"]))

    struct Input: EndpointInput {
        let module: Module
        let since: Instant?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let name = request.path["name"] ?? ""
            guard let module = context.metadata.module(name) ?? Int64(name).flatMap({ context.metadata.module(id: ModuleID(raw: $0)) })
            else {
                throw .invalidModule()
            }
            self.module = module
            since = try request.instant(header: "If-Modified-Since")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard input.module.changed(since: input.since) else { return .notModified }
        return .json(["modules": [MetadataAnswers(catalog: context.metadata).moduleInFull(input.module)]])
    }
}

extension Module {
    fileprivate func changed(since: Instant?) -> Bool {
        guard let since, let modifiedAt else { return true }
        return modifiedAt > since
    }
}
