import CRMCore
import HTTPShell
import Metadata
import Wire

/// All profiles. Contract: profiles, U16.
enum ListProfiles: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/profiles", entry: "U16", scope: .fixed(["ZohoCRM.settings.profiles.READ"]), support: .partial("a single profile"))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        let profiles = context.catalog.documents(.profile).map { document -> JSONValue in
            .object([.init("id", .id(document.id))] + (document.body.members ?? []).filter { $0.name != "permissions" })
        }
        return .json(["profiles": .array(profiles)])
    }
}

/// All roles. Contract: roles, U22.
enum ListRoles: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/roles", entry: "U22", scope: .fixed(["ZohoCRM.settings.roles.READ"]), support: .partial("a single role"))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        let roles = context.catalog.documents(.role).map { document -> JSONValue in .object([.init("id", .id(document.id))] + (document.body.members ?? [])) }
        return .json(["roles": .array(roles)])
    }
}
