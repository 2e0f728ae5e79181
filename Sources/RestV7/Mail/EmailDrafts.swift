import CRMCore
import HTTPShell
import Metadata
import Wire

/// The record in the path of a call about drafts.
private struct DraftPath: Sendable {
    /// Ten at a time (`email-drafts.md`, 222).
    static let page = 10

    let email: EmailPath

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        email = try EmailPath(request, context)
        guard email.module.apiName != "Vendors" else { throw .invalidModule() }
    }

    /// Carries out what a call asks for each draft.
    func each(
        _ items: [JSONCursor], isNew: Bool, named token: String?, status: Int, _ message: String, _ context: RequestContext
    ) async throws -> Reply {
        var drafts: [Result<(token: String?, draft: EmailDraft), Rejection>] = []
        for item in items {
            do {
                let reader = DraftReader(reader: EmailReader(context: context), module: email.module)
                let own = isNew ? nil : try token ?? item.required("id").string()
                drafts.append(.success((own, try await reader.read(item, isNew: isNew))))
            } catch let refusal as Rejection {
                drafts.append(.failure(refusal))
            }
        }
        let results = try await email.each(drafts, context) { desk, given in
            let (token, draft) = try given.get()
            guard let token else { return .success(message, details: ["id": .string(try desk.add(draft))]) }
            try desk.change(token, to: draft)
            return .success(message, details: ["id": .string(token)])
        }
        return .items("__email_drafts", results, success: status)
    }
}

/// Reads a draft from a body. Contract: email-drafts, 221 and 223.
private struct DraftReader {
    let reader: EmailReader
    let module: Module

    func read(_ item: JSONCursor, isNew: Bool) async throws -> EmailDraft {
        _ = try item.object()
        if !isNew, item.value["inventory_details"] != nil {
            throw Rejection(
                .notAllowed, message: "The inventory_details field is not allowed in update draft request", status: 403,
                .apiName("inventory_details"), .jsonPath(item.path.appending("inventory_details")))
        }
        let from = try item.required("from")
        let address = try reader.address(from)
        try Senders.require(address, at: from.path, reader.context)
        var draft = EmailDraft(
            from: address, isRich: try item.required("rich_text").bool(), path: item.path)
        draft.to = try reader.people("to", of: item)
        draft.cc = try reader.people("cc", of: item)
        draft.bcc = try reader.people("bcc", of: item)
        draft.replyTo = try reader.given("reply_to", item).map { given throws(Rejection) in try reader.address(given) }
        draft.subject = try reader.text("subject", of: item, max: 250) ?? ""
        draft.content = try reader.text("content", of: item, max: longestEmailContent) ?? ""
        draft.details = [
            "schedule_details": try schedule(item), "template": try template(item), "inventory_details": try inventory(item),
        ]
        draft.files = try await reader.files(of: item)
        draft.inline = try await reader.images(in: draft.content)
        return draft
    }

    private func schedule(_ item: JSONCursor) throws(Rejection) -> JSONValue {
        guard let given = reader.given("schedule_details", item) else { return .null }
        let time = try given.required("time")
        let moment = try reader.moment(time)
        guard moment > reader.context.now else { throw .notAllowed(at: time.path, message: "Schedule time should not be past time") }
        var details: JSONValue = ["time": .string(moment.iso(offsetMinutes: 0))]
        if let zone = try reader.text("timezone", of: given, max: 100) { details["timezone"] = .string(zone) }
        return details
    }

    private func template(_ item: JSONCursor) throws(Rejection) -> JSONValue {
        guard let given = reader.given("template", item) else { return .null }
        return ["id": .id(try given.required("id").recordID())]
    }

    private func inventory(_ item: JSONCursor) throws(Rejection) -> JSONValue {
        guard let given = reader.given("inventory_details", item) else { return .null }
        guard module.body["other_version_flags"]?["inventory_template_supported"]?.bool ?? false else {
            throw .notAllowed(at: given.path, message: "the module has no inventory templates")
        }
        return try InventoryDetails.read(given, reader)
    }
}

/// The drafts of a body; of the one that the path names, where it names one.
struct DraftBodies: EndpointInput {
    fileprivate let path: DraftPath
    let items: [JSONCursor]
    let token: String?

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        path = try DraftPath(request, context)
        token = request.path["draft_id"]
        items = try token == nil ? request.json().items("__email_drafts") : request.json().items("__email_drafts", limit: 1)
    }
}

/// Contract: email-drafts, 221.
enum CreateEmailDrafts: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/__email_drafts", entry: "221", scope: .modules(["CREATE"]))

    static func respond(_ input: DraftBodies, _ context: RequestContext) async throws -> Reply {
        try await input.path.each(input.items, isNew: true, named: nil, status: 201, "Draft created Successfully", context)
    }
}

/// Contract: email-drafts, 222.
enum ListEmailDrafts: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/{module}/{id}/__email_drafts", entry: "222", scope: .modules(["READ"]))

    struct Input: EndpointInput {
        fileprivate let path: DraftPath
        let page: NumberedPage
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try DraftPath(request, context)
            page = try NumberedPage(request, most: DraftPath.page)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let place = input.path.email
        let found = try await context.records.drafts(
            of: place.record, place.module, skipping: input.page.skipped, limit: input.page.perPage)
        guard let found else { throw Rejection.invalidPathID(1) }
        guard !found.views.isEmpty else { return .nothing }
        return .json(["__email_drafts": .array(found.views.map { DraftAnswer.json($0, optedOut: found.optedOut, context) })])
    }
}

/// Contract: email-drafts, 222.
enum GetEmailDraft: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/{module}/{id}/__email_drafts/{draft_id}", entry: "222", scope: .modules(["READ"]))

    struct Input: EndpointInput {
        fileprivate let path: DraftPath
        let token: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try DraftPath(request, context)
            token = request.path["draft_id"] ?? ""
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let place = input.path.email
        guard let found = try await context.records.drafts(of: place.record, place.module, only: input.token, skipping: 0, limit: 1) else {
            throw Rejection.invalidPathID(1)
        }
        guard let view = found.views.first else { throw Rejection.invalidPathID(3) }
        return .json(["__email_drafts": [DraftAnswer.json(view, optedOut: found.optedOut, context)]])
    }
}

/// Contract: email-drafts, 223.
enum UpdateEmailDrafts: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/{module}/{id}/__email_drafts", entry: "223", scope: .modules(["UPDATE"]))

    static func respond(_ input: DraftBodies, _ context: RequestContext) async throws -> Reply {
        try await input.path.each(input.items, isNew: false, named: nil, status: 200, "Draft updated Successfully", context)
    }
}

/// Contract: email-drafts, 223.
enum UpdateEmailDraft: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/{module}/{id}/__email_drafts/{draft_id}", entry: "223", scope: .modules(["UPDATE"]))

    static func respond(_ input: DraftBodies, _ context: RequestContext) async throws -> Reply {
        try await input.path.each(input.items, isNew: false, named: input.token, status: 200, "Draft updated Successfully", context)
    }
}

/// Contract: email-drafts, 224.
enum DeleteEmailDraft: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/{module}/{id}/__email_drafts/{draft_id}", entry: "224", scope: .modules(["DELETE"]))

    struct Input: EndpointInput {
        fileprivate let path: DraftPath
        let token: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try DraftPath(request, context)
            token = request.path["draft_id"] ?? ""
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await input.path.email.each([input.token], context) { desk, token in
            try desk.remove(token)
            return .success("Draft deleted Successfully", details: ["id": .string(token)])
        }
        return .items("__email_drafts", results)
    }
}

/// A draft as answers show it. Contract: email-drafts, 222.
private enum DraftAnswer {
    static func json(_ view: EmailView, optedOut: Bool, _ context: RequestContext) -> JSONValue {
        let email = view.email
        func list(_ name: String) -> JSONValue {
            let people = email.people[name]?.array ?? []
            return people.isEmpty ? .null : .array(people)
        }
        let files = view.files.map { file -> JSONValue in
            [
                "id": .string(file.token), "file_name": .string(file.name), "file_size": .string(String(file.size)),
                "service_name": "ZFSAttached",
            ]
        }
        var schedule = email.details["schedule_details"] ?? .null
        if let time = schedule["time"]?.string.flatMap(Instant.init(iso:)) { schedule["time"] = context.shown(time) }
        return [
            "id": .string(email.token), "from": email.sender["email"] ?? .null, "to": list("to"), "cc": list("cc"), "bcc": list("bcc"),
            "reply_to": email.people["reply_to"]?["email"] ?? .null, "subject": .string(email.subject), "content": .string(email.content),
            "summary": .string(email.summary), "rich_text": .bool(email.format == .html), "schedule_details": schedule,
            "template": email.details["template"] ?? .null, "inventory_details": email.details["inventory_details"] ?? .null,
            "attachments": files.isEmpty ? .null : .array(files), "email_opt_out": .bool(optedOut),
            "created_time": context.shown(email.createdAt), "modified_time": context.shown(email.modifiedAt),
        ]
    }
}

/// Drafts of mails.
let emailDraftEndpoints: [any Endpoint.Type] = [
    CreateEmailDrafts.self, ListEmailDrafts.self, GetEmailDraft.self, UpdateEmailDrafts.self, UpdateEmailDraft.self, DeleteEmailDraft.self,
]
