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
