import CRMCore
import HTTPShell
import Metadata
import Wire

/// Sends a mail of a record. Contract: emails, 231.
enum SendMail: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/send_mail", entry: "231", scope: EmailPath.sending, credits: 20,
        support: .partial("PDF: documents of inventory records go as HTML"))

    /// As many mails may one call send; the page shows one.
    private static let most = 10

    struct Input: EndpointInput {
        let path: EmailPath
        let items: [JSONCursor]

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try EmailPath(request, context)
            try SendMail.requireConfirmed(context)
            items = try request.json().items("data", limit: most)
        }
    }

    /// Who has not taken the invitation has shown no address to be his (`emails.md`, 231, errors).
    private static func requireConfirmed(_ context: RequestContext) throws(Rejection) {
        guard let user = context.catalog.user(context.access.user), user.confirmed else {
            throw Rejection(.noPermission, message: "the account is not confirmed")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        var orders: [Result<EmailOrder, Rejection>] = []
        for item in input.items {
            do { orders.append(.success(try await order(item, input.path.module, context))) } catch let refusal as Rejection {
                orders.append(.failure(refusal))
            }
        }
        let results = try await input.path.each(orders, context) { desk, order in
            let sent = try desk.send(try order.get())
            var details: JSONValue = ["message_id": .string(sent.token)]
            if let omitted = sent.omittedJSON { details["blocked_email_addresses"] = omitted }
            return .success("Your mail has been \(sent.isScheduled ? "scheduled" : "sent") successfully.", details: details)
        }
        return .items("data", results)
    }

    private static func order(_ item: JSONCursor, _ module: Module, _ context: RequestContext) async throws -> EmailOrder {
        _ = try item.object()
        let reader = EmailReader(context: context)
        let from = try reader.mailbox("from", of: item)
        let senders = Senders(context.access.user, context)
        let ofOrganization = try reader.flag("org_email", of: item) ?? false
        try Senders.require(from.address, ofOrganization: ofOrganization, at: item.path.appending("from").appending("email"), context)
        let named = from.name == nil ? Mailbox(senders?.user.fullName, from.address) : from
        var order = EmailOrder(
            from: named, to: try reader.people("to", of: item, needed: true), origin: context.homeURL, path: item.path)
        order.cc = try reader.people("cc", of: item)
        order.bcc = try reader.people("bcc", of: item)
        order.replyTo = try reader.mailboxIfGiven("reply_to", of: item)
        order.subject = try reader.text("subject", of: item, max: 250)
        order.content = try reader.text("content", of: item, max: longestEmailContent)
        order.format = try reader.format(of: item)
        for key in ["consent_email", "data_subject_request"] {
            if let given = reader.given(key, item), given.value != false {
                throw Rejection.invalid(at: given.path, message: "Compliance settings are not enabled for the record")
            }
        }
        if let given = reader.given("scheduled_time", item) {
            let moment = try reader.moment(given)
            guard moment > context.now else { throw Rejection.invalid(at: given.path, message: "the time is past") }
            order.scheduled = moment
        }
        if let given = reader.given("in_reply_to", item) {
            order.answers = try given.required("message_id").string()
            order.owner = try owner(reader.user("owner", of: given), at: given.path.appending("owner"), context)
        }
        order.template = try reader.given("template", item).map { given throws(Rejection) in try given.required("id").recordID() }
        order.document = try document(item, module, reader)
        order.files = try await reader.files(of: item)
        order.inline = try await reader.images(in: order.content)
        return order
    }

    /// Mails may be given to others by administrators only, as those that are associated.
    private static func owner(_ user: UserID?, at path: JSONPath, _ context: RequestContext) throws(Rejection) -> UserID? {
        guard let user, user != context.access.user else { return user }
        guard context.isAdministrator else { throw Rejection(.noPermission, .jsonPath(path)) }
        return user
    }

    /// Mails of inventory records carry their document.
    private static func document(_ item: JSONCursor, _ module: Module, _ reader: EmailReader) throws(Rejection) -> RecordID? {
        let isInventory = module.body["other_version_flags"]?["inventory_template_supported"]?.bool ?? false
        guard isInventory else { return nil }
        let details = try item.required("inventory_details")
        _ = try InventoryDetails.read(details, reader)
        let template = try details.required("inventory_template")
        return try (template.value["id"] == nil ? template : template.required("id")).recordID()
    }
}

/// `inventory_details` of mails and drafts: a template, and how its document is laid out.
enum InventoryDetails {
    static func read(_ given: JSONCursor, _ reader: EmailReader) throws(Rejection) -> JSONValue {
        let template = try given.required("inventory_template")
        let named = template.value["id"] == nil ? template : try template.required("id")
        let id = try named.recordID()
        let paper = try choice("paper_type", ["default", "A4", "us_letter"], of: given, reader) ?? "A4"
        let view = try choice("view_type", ["portrait", "landscape"], of: given, reader) ?? "portrait"
        return [
            "inventory_template": ["id": .id(id), "name": template.value["name"] ?? .null], "paper_type": .string(paper),
            "view_type": .string(view),
        ]
    }

    private static func choice(_ name: String, _ allowed: [String], of item: JSONCursor, _ reader: EmailReader) throws(Rejection) -> String?
    {
        guard let given = reader.given(name, item) else { return nil }
        let text = try given.string()
        guard allowed.contains(text) else { throw .unsupported(allowed, at: given.path) }
        return text
    }
}
