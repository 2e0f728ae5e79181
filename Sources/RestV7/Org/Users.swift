import CRMCore
import HTTPShell
import Metadata
import Wire

/// The users of the organisation. Contract: users, 114.
enum ListUsers: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/users", entry: "114", scope: .fixed(["ZohoCRM.users.READ"]))

    private static let kinds = [
        "AllUsers", "ActiveUsers", "DeactiveUsers", "ConfirmedUsers", "NotConfirmedUsers", "DeletedUsers", "ActiveConfirmedUsers",
        "AdminUsers",
        "ActiveConfirmedAdmins", "CurrentUser",
    ]

    struct Input: EndpointInput {
        let kind: String
        let ids: [RecordID]?
        let page: Int
        let perPage: Int
        let since: Instant?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            kind = request.query("type").flatMap { $0.isEmpty ? nil : $0 } ?? "AllUsers"
            guard kinds.contains(kind) else { throw Rejection(.invalidData, .parameter("type"), .supportedValues(kinds)) }
            let text = request.query("ids").flatMap { $0.isEmpty ? nil : $0 }
            ids = text == nil ? nil : try request.ids()
            page = try request.positive("page") ?? 1
            perPage = min(try request.positive("per_page") ?? 200, 200)
            since = try request.instant(header: "If-Modified-Since")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let administrators = Set(context.catalog.documents(.profile).filter { $0.body["name"] == "Administrator" }.map(\.id))
        let found = context.catalog.users.filter { user in
            let confirmed = user.body["confirm"]?.bool ?? false
            let status = user.body["status"]?.string ?? "active"
            if let since = input.since, let modified = user.modifiedAt, modified <= since { return false }
            guard input.ids?.contains(RecordID(raw: user.id.raw)) ?? true else { return false }
            return switch input.kind {
            case "ActiveUsers": user.active
            case "DeactiveUsers": status == "inactive"
            case "ConfirmedUsers": confirmed
            case "NotConfirmedUsers": !confirmed
            case "DeletedUsers": status == "deleted"
            case "ActiveConfirmedUsers": user.active && confirmed
            case "AdminUsers": administrators.contains(user.profile)
            case "ActiveConfirmedAdmins": user.active && confirmed && administrators.contains(user.profile)
            case "CurrentUser": user.id == context.access.user
            default: status != "deleted"
            }
        }
        let shown = found.dropFirst((input.page - 1) * input.perPage).prefix(input.perPage)
        guard !shown.isEmpty else { return input.since != nil && found.isEmpty ? .notModified : .nothing }
        return .json([
            "users": .array(shown.map { UserAnswer.json($0, context) }),
            "info": [
                "per_page": .integer(input.perPage), "count": .integer(shown.count), "page": .integer(input.page),
                "more_records": .bool(found.count > input.page * input.perPage),
            ],
        ])
    }
}

/// One user. Contract: users, 114.
enum GetUser: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/users/{id}", entry: "114", scope: .fixed(["ZohoCRM.users.READ"]))

    struct Input: EndpointInput {
        let user: User
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            guard let id = RecordID(request.path["id"] ?? ""), let user = context.catalog.user(UserID(raw: id.raw)) else {
                throw .invalidPathID(0)
            }
            self.user = user
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        .json(["users": [UserAnswer.json(input.user, context)]])
    }
}

/// A user object of an answer.
enum UserAnswer {
    static func json(_ user: User, _ context: RequestContext) -> JSONValue {
        var answer = user.body
        answer["id"] = .string(String(user.id.raw))
        answer["zuid"] = .string(String(user.id.raw))
        answer["offset"] = .integer(Int64(user.zone.offsetMinutes(at: context.now)) * 60_000)
        let constants: [(String, JSONValue)] = [
            ("microsoft", false), ("personal_account", false), ("Isonline", false), ("sandboxDeveloper", false), ("$current_shift", .null),
            ("$next_shift", .null), ("$shift_effective_from", .null), ("Reporting_To", .null), ("created_by", .null),
            ("created_time", .null),
            ("Modified_By", .null), ("Modified_Time", .null), ("signature", .null), ("alias", .null), ("phone", .null), ("mobile", .null),
            ("street", .null), ("city", .null), ("state", .null), ("zip", .null), ("country", .null), ("website", .null), ("fax", .null),
            ("dob", .null),
        ]
        for (key, value) in constants where answer[key] == nil { answer[key] = value }
        if answer["Currency"] == nil { answer["Currency"] = context.catalog.organization["iso_code"] ?? .null }
        return answer
    }
}
