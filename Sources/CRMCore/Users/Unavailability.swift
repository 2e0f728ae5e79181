import Metadata
import SQLStore
import Wire

/// A time in which a user is away. Owns `sys_unavailability`. Contract: users-unavailability, 75 to 78.
package struct Unavailability: Sendable {
    package let id: RecordID
    package let user: UserID
    package var from: Instant
    package var to: Instant
    package var comments: String?

    static let schema: [SQL] = [
        """
        CREATE TABLE sys_unavailability (id \(.type(.integer)) PRIMARY KEY, user_id \(.type(.integer)) NOT NULL,
            starts_at \(.type(.integer)) NOT NULL, ends_at \(.type(.integer)) NOT NULL, comments \(.type(.text)))\(.strict)
        """,
        "CREATE INDEX sys_unavailability_user ON sys_unavailability (user_id, ends_at)",
    ]

    /// As long as the SDK allows.
    private static let mostComment = 250

    fileprivate init(_ row: borrowing Row) {
        id = RecordID(raw: row.integer(0) ?? 0)
        user = UserID(raw: row.integer(1) ?? 0)
        from = Instant(milliseconds: row.integer(2) ?? 0)
        to = Instant(milliseconds: row.integer(3) ?? 0)
        comments = row.text(4)
    }

    private init(id: RecordID, user: UserID) {
        self.id = id
        self.user = user
        (from, to) = (Instant(milliseconds: 0), Instant(milliseconds: 0))
    }

    /// Those of these users who are away at a moment: from the first instant to the last but one.
    static func away(among users: Set<UserID>, at moment: Instant, _ tx: Transaction) throws -> Set<UserID> {
        let ids = users.map(\.raw).sorted()
        let rows = try tx.rows(
            """
            SELECT DISTINCT u.user_id FROM sys_unavailability u WHERE \(.memberIDs("u.user_id", ids)) AND u.ends_at > \(moment) \
            AND u.starts_at <= \(moment)
            """
        ) { UserID(raw: $0.integer(0) ?? 0) }
        return Set(rows)
    }
}

/// Changes.
extension Unavailability {
    /// Whether the caller may speak for others than himself.
    private static func speaksForAll(_ scope: WriteScope) -> Bool {
        scope.catalog.user(scope.access.user).map(UserRoster(scope.catalog).isAdministrator) ?? false
    }

    /// Adds one, of the caller unless the item names somebody. Only administrators name others.
    package static func add(_ item: JSONCursor, _ scope: WriteScope) throws -> RecordID {
        _ = try item.object()
        var user = scope.access.user
        if let given = item.optional("user"), !given.value.isNull {
            let named = try given.required("id")
            user = UserID(raw: try named.recordID().raw)
            guard let known = scope.catalog.user(user), known.status != "deleted" else { throw Rejection.invalid(at: named.path) }
            guard user == scope.access.user || speaksForAll(scope) else { throw Rejection(.noPermission, .jsonPath(named.path)) }
        }
        for name in ["from", "to"] { _ = try item.required(name) }
        var made = Unavailability(id: scope.ids.next(), user: user)
        try made.read(item)
        try scope.tx.insert(
            into: "sys_unavailability", ["id", "user_id", "starts_at", "ends_at", "comments"],
            rows: [
                [.id(made.id), .integer(user.raw), .integer(made.from.milliseconds), .integer(made.to.milliseconds), .init(made.comments)]
            ])
        return made.id
    }

    package static func change(_ id: RecordID, _ item: JSONCursor, else unknown: Rejection, _ scope: WriteScope) throws -> RecordID {
        _ = try item.object()
        var known = try held(id, else: unknown, scope)
        try known.read(item)
        try scope.tx.execute(
            """
            UPDATE sys_unavailability SET starts_at = \(known.from), ends_at = \(known.to), comments = \(SQLValue(known.comments)) WHERE id = \(id)
            """)
        return id
    }

    package static func remove(_ id: RecordID, else unknown: Rejection, _ scope: WriteScope) throws -> RecordID {
        _ = try held(id, else: unknown, scope)
        try scope.tx.execute("DELETE FROM sys_unavailability WHERE id = \(id)")
        return id
    }

    /// One of those the caller may see, kept for this transaction.
    private static func held(_ id: RecordID, else unknown: Rejection, _ scope: WriteScope) throws -> Unavailability {
        let found = try scope.tx.first(
            "SELECT id, user_id, starts_at, ends_at, comments FROM sys_unavailability WHERE id = \(id)\(.lockRows)"
        ) { Unavailability($0) }
        guard let found, found.user == scope.access.user || speaksForAll(scope) else { throw unknown }
        return found
    }

    private mutating func read(_ item: JSONCursor) throws(Rejection) {
        if let given = item.optional("comments") { comments = given.value.isNull ? nil : try given.string(max: Self.mostComment) }
        if let given = try Self.moment("from", item) { from = given }
        if let given = try Self.moment("to", item) { to = given }
        guard from < to else {
            throw .invalid(at: item.path.appending(item.value["from"] != nil && item.value["to"] == nil ? "from" : "to"))
        }
    }

    private static func moment(_ name: String, _ item: JSONCursor) throws(Rejection) -> Instant? {
        guard let given = item.optional(name) else { return nil }
        guard let moment = given.value.string.flatMap(Instant.init(iso:)) else { throw .wrongType("datetime", at: given.path) }
        return moment
    }
}

/// Questions.
extension Unavailability {
    package enum Edge: Sendable { case from, to }

    /// Which of them a list shows, by when they begin and end.
    package indirect enum Filter: Sendable {
        case everything
        case all([Filter])
        case any([Filter])
        /// With a comparator of the criteria; two moments for `between`.
        case test(Edge, Comparator, [Instant])

        fileprivate var sql: SQL {
            switch self {
            case .everything: return "1 = 1"
            case .all(let parts): return "(\(.joined(parts.map(\.sql), by: " AND ")))"
            case .any(let parts): return "(\(.joined(parts.map(\.sql), by: " OR ")))"
            case .test(let edge, let comparator, let moments):
                let column: SQL = edge == .from ? "u.starts_at" : "u.ends_at"
                guard let first = moments.first, let last = moments.last else { return "1 = 0" }
                switch comparator {
                case .equal: return "\(column) = \(first)"
                case .notEqual: return "\(column) <> \(first)"
                case .less: return "\(column) < \(first)"
                case .lessOrEqual: return "\(column) <= \(first)"
                case .greater: return "\(column) > \(first)"
                case .greaterOrEqual: return "\(column) >= \(first)"
                case .between: return "\(column) BETWEEN \(first) AND \(last)"
                default: return "1 = 0"
                }
            }
        }
    }
}

extension RecordQueries {
    /// A page of times that people are away, the earliest first, and whether there are more. `users` limits whose; `id` asks for one.
    package func unavailability(
        of users: Set<UserID>?, _ filter: Unavailability.Filter = .everything, id: RecordID? = nil, skipping: Int = 0, limit: Int = 1
    ) async throws -> (found: [Unavailability], more: Bool) {
        var conditions: [SQL] = [filter.sql]
        if let users { conditions.append("\(.memberIDs("u.user_id", users.map(\.raw).sorted()))") }
        if let id { conditions.append("u.id = \(id)") }
        let rows: SQL = """
            SELECT u.id, u.user_id, u.starts_at, u.ends_at, u.comments FROM sys_unavailability u WHERE \(.joined(conditions, by: " AND ")) \
            ORDER BY u.starts_at, u.id LIMIT \(.integer(Int64(limit) + 1)) OFFSET \(.integer(Int64(skipping)))
            """
        let found = try await read { tx in try tx.rows(rows) { Unavailability($0) } }
        return (Array(found.prefix(limit)), found.count > limit)
    }
}
