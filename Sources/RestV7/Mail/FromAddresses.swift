import CRMCore
import HTTPShell
import Metadata
import Wire

/// Whom a user may write as: himself, and the organisation. Contract: emails, 230.
struct Senders {
    let user: User
    private let services: Services
    private let catalog: Catalog

    init?(_ user: UserID, _ context: RequestContext) {
        guard let user = context.catalog.user(user) else { return nil }
        self.user = user
        (services, catalog) = (context.services, context.catalog)
    }

    /// The address the server is known by at its mail server.
    var organization: MailAddress? { services.mailer.address }

    /// `ofOrganization`: whether the mail is to be the organisation's.
    func allows(_ address: MailAddress, ofOrganization: Bool) -> Bool {
        if address.folded == organization?.folded { return true }
        return !ofOrganization && address.folded == MailAddress(user.email)?.folded
    }

    /// Refuses an address that the caller may not write as.
    static func require(_ address: MailAddress, ofOrganization: Bool = false, at path: JSONPath, _ context: RequestContext)
        throws(Rejection)
    {
        guard Senders(context.access.user, context)?.allows(address, ofOrganization: ofOrganization) == true else {
            throw .invalid(at: path, message: "You cannot use this email address to send mails from")
        }
    }

    var json: [JSONValue] {
        var list: [JSONValue] = [
            ["user_name": .string(user.fullName), "email": .string(user.email), "type": "primary", "id": .null, "default": true]
        ]
        if let organization {
            let org = catalog.organization
            list.append([
                "user_name": org["company_name"] ?? .null, "email": .string(organization.text), "type": "org_email",
                "id": org["id"] ?? .null, "default": false,
            ])
        }
        return list
    }
}

/// Contract: emails, 230.
enum ListFromAddresses: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/emails/actions/from_addresses", entry: "230", scope: .fixed(["ZohoCRM.settings.emails.READ"]))

    struct Input: EndpointInput {
        let senders: Senders
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            var user = context.access.user
            if let text = request.query("user_id"), !text.isEmpty {
                guard let id = RecordID(text) else { throw .invalidParameter("user_id") }
                user = UserID(raw: id.raw)
                // Whom others write as is the administrators' business.
                if user != context.access.user { try context.access.require(permission: SettingsPermission.users) }
            }
            guard let senders = Senders(user, context) else { throw .invalidParameter("user_id") }
            self.senders = senders
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        .json(["from_addresses": .array(input.senders.json)])
    }
}
