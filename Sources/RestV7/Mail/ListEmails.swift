import CRMCore
import HTTPShell
import Metadata
import Wire

/// The mails of a record, newest first, ten at a time. Contract: emails, 229.
enum ListEmails: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/{module}/{id}/Emails", entry: "229", scope: EmailPath.reading)

    struct Input: EndpointInput {
        let question: EmailQuestion

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let path = try EmailPath(request, context)
            var question = EmailQuestion(path.module, path.record)
            if let text = request.query("type"), !text.isEmpty {
                guard let kind = EmailQuestion.Kind(rawValue: text), !kind.isOfContacts || path.module.apiName == "Accounts" else {
                    throw Rejection(.invalidData, .parameter("type"), .supportedValues(Self.kinds(of: path.module)))
                }
                question.kind = kind
            }
            if let text = request.query("owner_id"), !text.isEmpty {
                guard let id = RecordID(text), context.catalog.user(UserID(raw: id.raw)) != nil, question.kind == .ofUser else {
                    throw .invalidParameter("owner_id")
                }
                question.owner = UserID(raw: id.raw)
            }
            if let text = request.query("filter"), !text.isEmpty { question.test = try EmailFilter.read(text) }
            if let text = request.query("index"), !text.isEmpty, text != "0" {
                guard let position = EmailIndex.read(text) else { throw .invalidParameter("index") }
                question.after = position
            }
            self.question = question
        }

        private static func kinds(of module: Module) -> [String] {
            EmailQuestion.Kind.allCases.filter { !$0.isOfContacts || module.apiName == "Accounts" }.map(\.rawValue)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let found = try await context.records.emails(input.question) else { throw Rejection.invalidPathID(1) }
        guard !found.views.isEmpty else { return .nothing }
        let answers = EmailAnswers(context: context)
        let last = found.views.last.map { EmailQuestion.Position(at: $0.email.at, id: $0.email.id) }
        let previous: JSONValue = found.previous.exists ? .string(found.previous.after.map(EmailIndex.text) ?? "0") : .null
        return .json([
            "Emails": .array(found.views.map(answers.row)),
            "info": [
                "per_page": .integer(EmailQuestion.page), "count": .integer(found.views.count),
                "next_index": found.more ? .string(last.map(EmailIndex.text) ?? "0") : .null, "prev_index": previous,
                "more_records": .bool(found.more),
            ],
        ])
    }
}

/// Where a page of mails begins, as callers hand it back: the place of the mail before it.
enum EmailIndex {
    static func text(_ position: EmailQuestion.Position) -> String {
        String(UInt64(bitPattern: position.at.milliseconds), radix: 16) + "g" + String(UInt64(bitPattern: position.id.raw), radix: 16)
    }

    static func read(_ text: String) -> EmailQuestion.Position? {
        let parts = text.split(separator: "g", omittingEmptySubsequences: false)
        guard parts.count == 2, let at = UInt64(parts[0], radix: 16), let id = UInt64(parts[1], radix: 16) else { return nil }
        return .init(at: Instant(milliseconds: Int64(bitPattern: at)), id: RecordID(raw: Int64(bitPattern: id)))
    }
}

/// The `filter` parameter, which the SDKs know: one field that equals a value.
enum EmailFilter {
    private static let fields = ["subject", "sent", "owner", "status"]

    static func read(_ text: String) throws(Rejection) -> EmailQuestion.Test {
        guard let json = try? JSONValue.parse(Array(text.utf8)), json["comparator"] == "equal", let value = json["value"]
        else { throw .invalidParameter("filter") }
        let word = value.string ?? value.text
        switch json["field"]?["api_name"]?.string ?? json["field"]?.string {
        case "subject": return .subject(word)
        case "sent" where ["true", "false"].contains(word): return .outgoing(word == "true")
        case "owner":
            guard let id = RecordID(word) else { throw .invalidParameter("filter") }
            return .owner(UserID(raw: id.raw))
        case "status":
            guard let state = Email.State(rawValue: word) else { throw .invalidParameter("filter") }
            return .state([state])
        default: throw Rejection(.invalidData, .parameter("filter"), .supportedValues(fields))
        }
    }
}

/// One mail of a record, with what it says. Contract: emails, 229.
enum GetEmail: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/{module}/{id}/Emails/{message_id}", entry: "229", scope: EmailPath.reading)

    struct Input: EndpointInput {
        let path: EmailPath
        let token: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try EmailPath(request, context)
            token = request.path["message_id"] ?? ""
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = try await context.records.email(input.token, of: input.path.record, input.path.module)
        guard let found else { throw Rejection.invalidPathID(1) }
        guard let view = found else { throw Rejection.invalidPathID(3) }
        return .json(["Emails": [EmailAnswers(context: context).whole(view)]])
    }
}

/// Whose mails stand with a record. There are no mailboxes that are read by the server, so that nobody shares any by settings: who sees
/// the record sees its mails. Contract: emails, 228.
enum EmailSharingDetails: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/{module}/{id}/__emails_sharing_details", entry: "228", scope: EmailPath.reading)

    struct Input: EndpointInput {
        let path: EmailPath
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { path = try EmailPath(request, context) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let owners = try await context.records.emailOwners(of: input.path.record, input.path.module) else {
            throw Rejection.invalidPathID(1)
        }
        var types: [JSONValue] = ["emails_sent_from_crm", "all_emails"]
        if input.path.module.apiName == "Accounts" { types.insert("all_contacts_emails", at: 1) }
        let users = owners.compactMap { owner -> JSONValue? in
            var user = context.shownUser(owner)
            guard !user.isNull else { return nil }
            user["type"] = "associated"
            user["_type"] = "associated"
            return user
        }
        // The page shows an object, the clients read a list; a list of one object is what both their examples can be read from.
        return .json(["__emails_sharing_details": [["available_types": .array(types), "share_from_users": .array(users)]]])
    }
}
