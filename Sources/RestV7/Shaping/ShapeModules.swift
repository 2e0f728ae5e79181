import CRMCore
import HTTPShell
import Metadata
import Wire

/// The one module object of a body.
struct ModuleBody: EndpointInput {
    let item: JSONCursor

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try context.access.require(permission: SettingsPermission.customize)
        item = try request.json().items("modules", limit: 1)[0]
        _ = try item.object()
    }
}

/// Rights on the settings of the organisation, by their names in profiles.
enum SettingsPermission {
    static let customize = "Crm_Implied_Customize_Zoho_CRM"
    static let roles = "Crm_Implied_Manage_Roles"
    static let profiles = "Crm_Implied_Manage_Profiles"
    static let users = "Crm_Implied_Manage_Users"
    static let groups = "Crm_Implied_Manage_Groups"
    static let dataSharing = "Crm_Implied_Manage_Data_Sharing"
    static let currencies = "Crm_Implied_Manage_Currencies"
    static let views = "Crm_Implied_Manage_CustomViews"
    static let variables = "Crm_Implied_Variables_Access"
    static let cadences = "Crm_Implied_Manage_Cadences"
    static let portals = "Crm_Implied_Manage_ClientPortal"
    static let portalUsers = "Crm_Implied_Manage_ClientPortal_Users"

    /// Assignment rules have a right for each standard module that has them; those of custom modules are shaping.
    static func assignmentRules(of module: Module) -> String {
        module.generatedType == "custom" ? customize : "Crm_Implied_Manage_AR_\(module.apiName)"
    }
}

/// Makes a custom module. Contract: modules, U3.
enum CreateModule: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/modules", entry: "U3", scope: .fixed(["ZohoCRM.settings.modules.CREATE"]), credits: 500)

    static func respond(_ input: ModuleBody, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach([input.item]) { item, scope in
            try ModuleShaper(scope).create(item)
        }
        return .items("modules", results, saying: "module created successfully")
    }
}

/// Changes a custom module. Contract: modules, U4.
enum UpdateModule: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/modules/{name}", entry: "U4", scope: .fixed(["ZohoCRM.settings.modules.UPDATE"]))

    struct Input: EndpointInput {
        let module: ModuleID
        let body: ModuleBody
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try GetModule.Input(request, context).module.id
            body = try ModuleBody(request, context)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.services.changeMetadata(by: context.access.user) { scope in
            guard let module = scope.catalog.module(id: input.module) else { throw Rejection.invalidModule() }
            return try scope.each([input.body.item]) { try ModuleShaper(scope).update(module, $0) }
        }
        return .items("modules", results, saying: "module updated successfully")
    }
}
