import CRMCore
import HTTPShell
import Metadata
import Wire

/// The organisation. Contract: organization, 110.
enum GetOrganization: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/org", entry: "110", scope: .fixed(["ZohoCRM.org.READ"]))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        var org = context.catalog.organization
        for key in [
            "alias", "phone", "mobile", "fax", "website", "description", "street", "city", "state", "zip", "country", "photo_id",
            "zia_portal_id",
            "created_time",
        ] where org[key] == nil { org[key] = .null }
        org["territories_off"] = nil
        if let document = context.catalog.documents(.org).first { org["id"] = .id(document.id) }
        org["employee_count"] = .string(String(context.catalog.users.filter(\.active).count))
        org["primary_zuid"] = context.catalog.users.first.map { .string(String($0.id.raw)) } ?? .null
        org["domain_name"] = .string("org" + (org["zgid"]?.string ?? ""))
        return .json(["org": [org]])
    }
}
