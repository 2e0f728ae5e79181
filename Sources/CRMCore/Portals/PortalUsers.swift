import Metadata
import SQLStore
import Wire

/// Who is a user of a portal: a row for each record that was invited. A record in the recycle bin keeps its row, and its address.
package enum PortalUsers {
    /// `email_key` is the address as two are compared; a user that a merge has ended has none.
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_portal_user (record_id \(.type(.integer)) PRIMARY KEY, module_id \(.type(.integer)) NOT NULL,
            user_type_id \(.type(.integer)) NOT NULL, email \(.type(.text)) NOT NULL, email_key \(.type(.text)), language \(.type(.text)) NOT NULL,
            active \(.type(.integer)) NOT NULL, confirmed \(.type(.integer)) NOT NULL, status_reason \(.type(.text)),
            invited_by \(.type(.integer)) NOT NULL, invited_at \(.type(.integer)) NOT NULL, expires_at \(.type(.integer)) NOT NULL,
            secret \(.type(.text)))\(.strict)
        """,
        "CREATE INDEX sys_portal_user_type ON sys_portal_user (user_type_id, record_id)",
        "CREATE UNIQUE INDEX sys_portal_user_email ON sys_portal_user (email_key)",
        "CREATE INDEX sys_portal_user_secret ON sys_portal_user (secret) WHERE secret IS NOT NULL",
    ]

    static let columns: [ColumnName] = [
        "record_id", "module_id", "user_type_id", "email", "email_key", "language", "active", "confirmed", "status_reason", "invited_by",
        "invited_at", "expires_at", "secret",
    ]

    /// Why a user is not active.
    package enum Reason: String, Sendable {
        case deactivated = "Deactivated"
        case merged = "Merged"
    }

    /// A row as it stands.
    struct Entry: Equatable {
        var record: RecordID
        let values: [SQLValue]

        var type: RecordID { RecordID(raw: values[2].integer ?? 0) }
        var isActive: Bool { values[6].integer == 1 }
        var isConfirmed: Bool { values[7].integer == 1 }
        /// The address as it is compared; none for a user that a merge has ended.
        var addressKey: String? { values[4].text }
        var isLive: Bool { !values[4].isNull }

        init(_ row: borrowing Row) {
            record = RecordID(raw: row.integer(0) ?? 0)
            let texts: Set<Int> = [3, 4, 5, 8, 12]
            values = (0..<13).map { row.value($0, as: texts.contains($0) ? .text : .integer) }
        }

        init?(_ json: JSONValue) {
            guard let stored = json.array, stored.count == 13, let id = stored[0].int64 else { return nil }
            record = RecordID(raw: id)
            let texts: Set<Int> = [3, 4, 5, 8, 12]
            values = stored.enumerated().map { SQLValue($1, as: texts.contains($0) ? .text : .integer) }
        }

        private init(_ record: RecordID, _ values: [SQLValue]) {
            self.record = record
            self.values = values
        }

        var json: JSONValue { .array(values.map(\.json)) }

        /// The same user, as another record.
        func following(to other: RecordID) -> Entry {
            Entry(other, [.integer(other.raw)] + values.dropFirst())
        }

        /// Ended by a merge; the address is free.
        func ended() -> Entry {
            var values = values
            values[4] = .null
            values[6] = .integer(0)
            values[8] = .text(Reason.merged.rawValue)
            values[12] = .null
            return Entry(record, values)
        }
    }

    static func entries(of ids: [RecordID], _ tx: Transaction) throws -> [RecordID: Entry] {
        guard !ids.isEmpty else { return [:] }
        let found = try tx.rows(
            "SELECT \(.joined(columns)) FROM sys_portal_user WHERE \(.memberIDs("record_id", ids.map(\.raw)))", { Entry($0) })
        return Dictionary(found.map { ($0.record, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Which of some addresses are those of users of other records.
    static func taken(_ keys: [String], except records: [RecordID], _ tx: Transaction) throws -> Set<String> {
        guard !keys.isEmpty else { return [] }
        return Set(
            try tx.rows(
                """
                SELECT email_key FROM sys_portal_user WHERE \(.memberTexts("email_key", keys)) \
                AND NOT (\(.memberIDs("record_id", records.map(\.raw))))
                """
            ) { $0.text(0) ?? "" })
    }

    static func put(_ entries: [Entry], _ tx: Transaction) throws {
        try tx.insert(into: "sys_portal_user", columns, rows: entries.map(\.values))
    }

    static func remove(_ ids: [RecordID], _ tx: Transaction) throws {
        guard !ids.isEmpty else { return }
        try tx.execute("DELETE FROM sys_portal_user WHERE \(.memberIDs("record_id", ids.map(\.raw)))")
    }

    static func removeAll(of type: RecordID, _ tx: Transaction) throws {
        try tx.execute("DELETE FROM sys_portal_user WHERE user_type_id = \(type)")
    }

    /// The users of a kind whose records are there.
    private static func living(_ alias: StaticString = "p") -> SQL {
        "p.email_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sys_grave g WHERE g.id = p.record_id)"
    }

    static func count(of type: RecordID, _ tx: Transaction) throws -> Int {
        try tx.first("SELECT count(*) FROM sys_portal_user p WHERE p.user_type_id = \(type) AND \(living())") {
            Int($0.integer(0) ?? 0)
        } ?? 0
    }

    /// By kind.
    package static func counts(_ services: Services) async throws -> [RecordID: Int] {
        let rows = try await services.database.run(.read) { tx in
            try tx.rows("SELECT p.user_type_id, count(*) FROM sys_portal_user p WHERE \(living()) GROUP BY p.user_type_id") {
                (RecordID(raw: $0.integer(0) ?? 0), Int($0.integer(1) ?? 0))
            }
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }
}

/// What is done to users of a kind. Contract: portals, 89, 91 and 92.
extension PortalUsers {
    /// Those of `ids` that are users of the kind, and that the caller sees; their rows stay as they are until the transaction ends.
    private static func held(_ ids: [RecordID], of type: PortalUserType, _ scope: WriteScope) throws -> [RecordID: Entry] {
        guard let module = scope.catalog.module(id: type.personality) else { return [:] }
        try scope.access.require(.view, module)
        let rows = try Planner(scope.catalog, scope.access).rows(ids, of: module, for: .view, scope.tx)
        return try entries(of: rows.keys.sorted(), scope.tx).filter { $0.value.type == type.id && $0.value.isLive }
    }

    private static func unknown(_ id: RecordID) -> Rejection {
        Rejection(.invalidData, message: "the id given seems to be invalid", .other("personality_id", .id(id)))
    }

    /// 89. Each outcome belongs to the id in its place.
    package static func transfer(_ ids: [RecordID], from type: PortalUserType, to heir: PortalUserType, _ scope: WriteScope) throws
        -> [Result<
            RecordID, Rejection
        >]
    {
        let held = try held(ids, of: type, scope)
        try scope.tx.execute(
            "UPDATE sys_portal_user SET user_type_id = \(heir.id) WHERE \(.memberIDs("record_id", held.keys.map(\.raw).sorted()))")
        return ids.map { held[$0] == nil ? .failure(unknown($0)) : .success($0) }
    }

    /// 92.
    package static func delete(_ ids: [RecordID], of type: PortalUserType, _ scope: WriteScope) throws -> [Result<RecordID, Rejection>] {
        let held = try held(ids, of: type, scope)
        try remove(held.keys.sorted(), scope.tx)
        return ids.map { held[$0] == nil ? .failure(unknown($0)) : .success($0) }
    }

    /// 91.
    package static func set(active: Bool, _ id: RecordID, of type: PortalUserType, _ scope: WriteScope) throws {
        guard let entry = try held([id], of: type, scope)[id] else {
            throw Rejection(.invalidData, message: "the id given seems to be invalid", .resourcePathIndex(2))
        }
        guard entry.isActive != active else {
            throw Rejection(.alreadyActivated, message: active ? "already active" : "already inactive", .resourcePathIndex(2))
        }
        let reason: SQLValue = active ? .null : .text(Reason.deactivated.rawValue)
        try scope.tx.execute(
            "UPDATE sys_portal_user SET active = \(SQLValue(active)), status_reason = \(reason) WHERE record_id = \(id)")
    }
}
