import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the organisation prefers about services. Contract: services, 146.
enum GetServicePreferences: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/service_preferences", entry: "146", scope: .fixed(["ZohoCRM.settings.modules.READ"]))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        .json(["service_preferences": ServicePreferences(context.catalog).body])
    }
}

/// Changes it. Contract: services, 147.
enum UpdateServicePreferences: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/service_preferences", entry: "147", scope: .fixed(["ZohoCRM.settings.modules.UPDATE"]))

    struct Input: EndpointInput {
        let jobSheets: Bool
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: "Crm_Implied_Customize_Services")
            jobSheets = try request.json().required("service_preferences").required("job_sheet_enabled").bool()
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let flag = input.jobSheets
        try await context.services.storeSetting(ServicePreferences.kind, by: context.access.user) { _ in ["job_sheet_enabled": .bool(flag)]
        }
        return .json(["service_preferences": .success("Services preferences updated successfully")])
    }
}
