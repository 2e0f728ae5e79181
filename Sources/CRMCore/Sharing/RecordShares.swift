import Metadata
import SQLStore
import Wire

/// Which records are shared with whom.
package enum RecordShares {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_share (record_id \(.type(.integer)) NOT NULL, module_id \(.type(.integer)) NOT NULL, target \(.type(.text)) NOT NULL,
            target_id \(.type(.integer)) NOT NULL, permission \(.type(.text)) NOT NULL, with_related \(.type(.integer)) NOT NULL,
            shared_by \(.type(.integer)), shared_at \(.type(.integer)) NOT NULL, PRIMARY KEY (record_id, target, target_id))\(.strict)
        """,
        "CREATE INDEX sys_share_target ON sys_share (target, target_id, module_id, record_id)",
    ]

    /// What is shared with a user, a role, a group or everybody. Ids are one series, so the kind of target need not be asked.
    static let targetSchema: [SQL] = [
        "CREATE INDEX sys_share_for ON sys_share (target_id, module_id, record_id, permission, with_related)"
    ]

    /// How many users, groups and roles a record may be shared with.
    package static let limits: [RecordShare.Target: Int] = [.users: 10, .groups: 5, .roles: 5, .everybody: 1]

    private static let standardModules: Set<String> = [
        "Leads", "Accounts", "Contacts", "Deals", "Campaigns", "Cases", "Solutions", "Products", "Vendors", "Price_Books", "Quotes",
        "Sales_Orders",
        "Purchase_Orders", "Invoices",
    ]

    package static func supports(_ module: Module) -> Bool { standardModules.contains(module.apiName) || module.generatedType == "custom" }

    /// Shares a record with more people. Each outcome belongs to the share in its place.
    package static func add(_ shares: [(RecordShare, JSONPath)], to id: RecordID, of module: Module, _ scope: WriteScope) throws -> [Result<
        Void, Rejection
    >] {
        let record = try loaded(id, module, scope)
        let before = try held(by: [id], scope.tx)[id] ?? []
        var after = before
        let outcomes = shares.map { share, path -> Result<Void, Rejection> in
            let sees = share.target == .users && share.targetID.raw == record["Owner"].integer
            if sees || after.contains(where: { $0.isFor(share) }) {
                return .failure(.invalid(at: path.appending("shared_with"), message: "the record is visible there already"))
            }
            if after.filter({ $0.target == share.target }).count >= limits[share.target] ?? 0 {
                return .failure(
                    Rejection(.limitExceeded, status: 403, .jsonPath(path), .other("limit", .integer(limits[share.target] ?? 0))))
            }
            // Everybody includes everyone named before, and the other way round a name narrows what was public.
            if share.target == .everybody { after = [] } else { after.removeAll { $0.target == .everybody } }
            after.append(share)
            return .success(())
        }
        try write(after, over: before, to: id, of: module, scope)
        return outcomes
    }

    /// Shares a record with exactly these; who is left out loses it. Who had it keeps the time of it.
    package static func replace(_ shares: [(RecordShare, JSONPath)], of id: RecordID, in module: Module, _ scope: WriteScope) throws {
        let record = try loaded(id, module, scope)
        let before = try held(by: [id], scope.tx)[id] ?? []
        var after: [RecordShare] = []
        for (share, path) in shares {
            let sees = share.target == .users && share.targetID.raw == record["Owner"].integer
            if sees || after.contains(where: { $0.isFor(share) }) {
                throw Rejection.invalid(at: path.appending("shared_with"), message: "the record is visible there already")
            }
            if after.filter({ $0.target == share.target }).count >= limits[share.target] ?? 0 {
                throw Rejection(.shareLimitExceeded, .jsonPath(path), .other("limit", .integer(limits[share.target] ?? 0)))
            }
            var kept = before.first { $0.isFor(share) } ?? share
            kept.permission = share.permission
            kept.withRelated = share.withRelated
            after.append(kept)
        }
        try write(after, over: before, to: id, of: module, scope)
    }

    /// Takes a record back from all. False when it was shared with nobody.
    package static func revoke(_ id: RecordID, of module: Module, _ scope: WriteScope) throws -> Bool {
        _ = try loaded(id, module, scope)
        let before = try held(by: [id], scope.tx)[id] ?? []
        try write([], over: before, to: id, of: module, scope)
        return !before.isEmpty
    }

    private static func loaded(_ id: RecordID, _ module: Module, _ scope: WriteScope) throws -> Record {
        try scope.access.require(.edit, module)
        try scope.access.require(.share, module)
        let rows = try Planner(scope.catalog, scope.access).rows([id], of: module, for: .share, scope.tx)
        guard let record = rows[id] else { throw rows.refusal(of: id, else: unknown) }
        try RecordStore.refuseIfHeld(record)
        return record
    }

    /// The page's message for a record that is not of the module.
    package static let unknown = Rejection(.invalidData, message: "ENTITY_ID_INVALID", .resourcePathIndex(1))

    private static func write(_ after: [RecordShare], over before: [RecordShare], to id: RecordID, of module: Module, _ scope: WriteScope)
        throws
    {
        guard after != before else { return }
        try store(after, of: id, in: module.id, scope.tx)
        try ChangeLog.append([.init(module.id, id, .shared, before: json(before), after: json(after))], scope)
    }

    static func store(_ shares: [RecordShare], of id: RecordID, in module: ModuleID, _ tx: Transaction) throws {
        try tx.execute("DELETE FROM sys_share WHERE record_id = \(id)")
        try tx.insert(
            into: "sys_share", ["record_id", "module_id", "target", "target_id", "permission", "with_related", "shared_by", "shared_at"],
            rows: shares.map { [.id(id), .integer(module.raw)] + $0.columns })
    }

    static func held(by ids: [RecordID], _ tx: Transaction) throws -> [RecordID: [RecordShare]] {
        var found: [RecordID: [RecordShare]] = [:]
        try tx.forEach(
            """
            SELECT record_id, target, target_id, permission, with_related, shared_by, shared_at FROM sys_share \
            WHERE \(.memberIDs("record_id", ids.map(\.raw))) ORDER BY record_id, shared_at, target, target_id
            """
        ) { row in found[RecordID(raw: row.integer(0) ?? 0), default: []].append(RecordShare(row, from: 1)) }
        return found
    }

    static func json(_ shares: [RecordShare]) -> JSONValue { .array(shares.map(\.json)) }
}

extension RecordQueries {
    /// A record's shares with its name; `nil` when the record is not there. Who shared it when is for those who may share it.
    package func shares(of id: RecordID, in module: Module) async throws -> (shares: [RecordShare], name: String?, inFull: Bool)? {
        try access.require(.view, module)
        let planner = Planner(catalog, access)
        return try await read { tx in
            guard let record = try planner.rows([id], of: module, for: .view, locked: false, tx)[id] else { return nil }
            let inFull = try planner.rows([id], of: module, for: .share, locked: false, tx)[id] != nil
            return (try RecordShares.held(by: [id], tx)[id] ?? [], access.name(of: record), inFull)
        }
    }
}

extension RecordQueries {
    /// The modules of which some record is shared with a group. One probe of the index for each module, however many shares.
    package func modulesShared(with group: RecordID) async throws -> [Module] {
        let modules = catalog.modules.filter(RecordShares.supports)
        let ids: SQL = "\(.idTable(modules.map(\.id.raw), column: "id"))"
        let found = try await read { tx in
            try tx.rows(
                """
                SELECT m.id FROM \(ids) m WHERE EXISTS (SELECT 1 FROM sys_share s WHERE s.target = 'groups' AND s.target_id = \(group) \
                AND s.module_id = m.id) ORDER BY m.id
                """
            ) { ModuleID(raw: $0.integer(0) ?? 0) }
        }
        return found.compactMap { id in modules.first { $0.id == id } }
    }
}
