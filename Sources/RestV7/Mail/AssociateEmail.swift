import CRMCore
import HTTPShell
import Metadata
import Wire

/// Puts mails that went elsewhere with a record. Contract: emails, 225.
enum AssociateEmail: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/associate_email", entry: "225",
        scope: .all([.fixed(["ZohoCRM.modules.emails.ALL"]), .modules(["ALL"])]))

    struct Input: EndpointInput {
        let path: EmailPath
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try EmailPath(request, context)
            guard path.module.apiName != "Vendors", path.module.apiName != "Cases" else { throw .invalidModule() }
            items = try request.json().items("Emails")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        var given: [Result<AssociatedEmail, Rejection>] = []
        for item in input.items {
            do { given.append(.success(try await read(item, context))) } catch let refusal as Rejection { given.append(.failure(refusal)) }
        }
        let results = try await input.path.each(given, context) { desk, email in
            let token = try desk.associate(try email.get())
            return .success("Your mail has been added successfully", details: ["message_id": .string(token)])
        }
        return .items("Emails", results, success: 201)
    }

    private static func read(_ item: JSONCursor, _ context: RequestContext) async throws -> AssociatedEmail {
        _ = try item.object()
        let reader = EmailReader(context: context)
        let content = try item.required("content").string(max: longestEmailContent)
        var email = AssociatedEmail(
            from: try reader.mailbox("from", of: item), to: try reader.people("to", of: item, needed: true),
            subject: try item.required("subject").string(max: 250), content: content,
            at: try reader.moment(try item.required("date_time")), isOutgoing: try item.required("sent").bool(),
            original: try item.required("original_message_id").string(max: 990, min: 1), path: item.path)
        email.cc = try reader.people("cc", of: item)
        email.bcc = try reader.people("bcc", of: item)
        email.format = try reader.format(of: item)
        if let owner = try reader.user("owner", of: item), owner != context.access.user {
            guard context.isAdministrator else { throw Rejection(.noPermission, .jsonPath(item.path.appending("owner"))) }
            email.owner = owner
        }
        if let linked = reader.given("linked_record", item) {
            guard let module = try ModuleReference.read(try linked.required("module"), context.catalog), module.table != nil,
                EmailPath.modules.contains(module.apiName) || module.generatedType == "custom"
            else {
                throw Rejection.invalid(at: linked.path.appending("module"), message: "the api_name given seems to be invalid")
            }
            email.linked = (module, try linked.required("id").recordID(), linked.path)
        }
        email.files = try await reader.files(of: item) ?? []
        email.inline = try await reader.images(in: content)
        return email
    }
}
