import CRMCore
import HTTPShell
import Metadata
import Wire

/// Who sees the records of each module beyond their owners. v7 has no call for it: the shape is that of v8
/// (`openapi-v8-2026/data_sharing.json`). An extension of ours.
enum GetDataSharing: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/data_sharing", entry: "", scope: .fixed(["ZohoCRM.settings.data_sharing.READ"]))

    struct Input: EndpointInput {
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: SettingsPermission.dataSharing)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let sharing = DataSharing(context.catalog)
        let settings = DataSharing.modules(context.catalog).map { module -> JSONValue in
            [
                "share_type": .string(sharing.type(of: module).rawValue), "public_in_portals": false, "module": module.reference,
                // Rights are asked with each question, so there is nothing to compute ahead.
                "rule_computation_running": false,
            ]
        }
        return .json(["data_sharing": .array(settings)])
    }
}

/// Changes who sees the records of modules, all of them or none. In force for the next request; reads of other
/// processes follow within a moment.
enum PutDataSharing: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/data_sharing", entry: "", scope: .fixed(["ZohoCRM.settings.data_sharing.UPDATE"]))

    struct Input: EndpointInput {
        let settings: [(module: Module, type: DataSharing.ShareType)]

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: SettingsPermission.dataSharing)
            var settings: [(Module, DataSharing.ShareType)] = []
            for item in try request.json().items("data_sharing") {
                let given = try item.required("module").required("id")
                let id = try given.recordID()
                guard let module = DataSharing.modules(context.catalog).first(where: { $0.id.raw == id.raw }) else {
                    throw .invalid(at: given.path)
                }
                let type = try item.required("share_type")
                let names = DataSharing.ShareType.allCases.map(\.rawValue)
                guard let chosen = DataSharing.ShareType(rawValue: try type.string()) else { throw .unsupported(names, at: type.path) }
                settings.append((module, chosen))
            }
            self.settings = settings
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await context.services.share(input.settings.map { ($0.module.id, $0.type) }, by: context.access.user)
        return .items(
            "data_sharing",
            input.settings.map {
                .success(.success("data sharing settings updated successfully", details: ["module": .string($0.module.apiName)]))
            })
    }
}

extension Module {
    fileprivate var reference: JSONValue { ["api_name": .string(apiName), "id": .string(String(id.raw))] }
}

/// Extensions of ours, shaped as in v8.
let dataSharingEndpoints: [any Endpoint.Type] = [GetDataSharing.self, PutDataSharing.self]
