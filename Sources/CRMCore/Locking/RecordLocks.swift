import Metadata
import SQLStore
import Wire

/// The locks on records, and the mark each record carries of them.
package enum RecordLocks {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_lock (id \(.type(.integer)) PRIMARY KEY, module_id \(.type(.integer)) NOT NULL, record_id \(.type(.integer)) NOT NULL,
            config_id \(.type(.integer)) NOT NULL, rule_id \(.type(.integer)), reason \(.type(.text)), locked_by \(.type(.integer)),
            locked_at \(.type(.integer)) NOT NULL, modified_at \(.type(.integer)) NOT NULL)\(.strict)
        """,
        "CREATE UNIQUE INDEX sys_lock_record ON sys_lock (record_id)",
        "CREATE INDEX sys_lock_config ON sys_lock (config_id, id)",
    ]

    package struct Lock: Sendable {
        package let id: RecordID
        package let record: RecordID
        package let configuration: RecordID
        /// The rule that set it; `nil` for a lock set by hand.
        package let rule: RecordID?
        package let reason: String?
        package let lockedBy: Int64?
        package let lockedAt: Instant
        package let modifiedAt: Instant
    }

    /// The lock of a record, of which there is one at most.
    static func lock(of record: RecordID, _ tx: Transaction) throws -> Lock? {
        try tx.first(
            "SELECT id, record_id, config_id, rule_id, reason, locked_by, locked_at, modified_at FROM sys_lock WHERE record_id = \(record)"
        ) { row in
            Lock(
                id: RecordID(raw: row.integer(0) ?? 0), record: RecordID(raw: row.integer(1) ?? 0),
                configuration: RecordID(raw: row.integer(2) ?? 0),
                rule: row.integer(3).map(RecordID.init(raw:)), reason: row.text(4), lockedBy: row.integer(5),
                lockedAt: Instant(milliseconds: row.integer(6) ?? 0), modifiedAt: Instant(milliseconds: row.integer(7) ?? 0))
        }
    }

    /// Locks records that are not locked yet. `rule` says that it was no person.
    static func set(
        _ records: [RecordID], of module: Module, _ configuration: RecordID, rule: RecordID?, reason: String?, _ scope: WriteScope
    ) throws {
        guard !records.isEmpty, let table = module.table, let column = module.lockColumn else { return }
        let now = SQLValue.init(scope.now)
        let rows = records.map { record -> [SQLValue] in
            [
                .id(scope.ids.next()), .integer(module.id.raw), .id(record), .id(configuration), .id(rule), .init(reason),
                rule == nil ? .integer(scope.access.user.raw) : .null, now, now,
            ]
        }
        try scope.tx.insert(
            into: "sys_lock", ["id", "module_id", "record_id", "config_id", "rule_id", "reason", "locked_by", "locked_at", "modified_at"],
            rows: rows)
        try mark(records, of: module, table, column, true, scope)
    }

    static func release(_ records: [RecordID], of module: Module, _ scope: WriteScope) throws {
        guard !records.isEmpty, let table = module.table, let column = module.lockColumn else { return }
        try scope.tx.execute("DELETE FROM sys_lock WHERE \(.memberIDs("record_id", records.map(\.raw)))")
        try mark(records, of: module, table, column, false, scope)
    }

    private static func mark(
        _ records: [RecordID], of module: Module, _ table: TableName, _ column: ColumnName, _ locked: Bool, _ scope: WriteScope
    ) throws {
        guard let field = module.field("Locked__s") else { return }
        try scope.tx.execute(
            "UPDATE \(table) SET \(column) = \(.init(locked)), row_version = row_version + 1 WHERE \(.memberIDs("id", records.map(\.raw)))")
        let key = String(field.id.raw)
        try ChangeLog.append(
            records.map { record in
                .init(
                    module.id, record, .updated, before: .object([.init(key, locked ? 0 : 1)]), after: .object([.init(key, locked ? 1 : 0)])
                )
            }, scope)
    }

    /// Locks one record by hand.
    package static func lockByHand(_ id: RecordID, of module: Module, reason: String, _ scope: WriteScope) throws -> Lock {
        let (record, configuration) = try loaded(id, module, scope)
        guard configuration.type != .automatic else {
            throw Rejection(.notAllowed, message: "records of the module are locked by rules only", status: 403, .id(id))
        }
        guard try lock(of: record.id, scope.tx) == nil else {
            throw Rejection(.notAllowed, message: "the record is locked already", status: 403, .id(id))
        }
        try set([id], of: module, configuration.id, rule: nil, reason: reason, scope)
        guard let made = try lock(of: id, scope.tx) else { throw Rejection(.internalError) }
        return made
    }

    package static func changeReason(_ lock: RecordID, on id: RecordID, of module: Module, to reason: String, _ scope: WriteScope) throws {
        _ = try held(lock, id, module, scope)
        try scope.tx.execute("UPDATE sys_lock SET reason = \(.text(reason)), modified_at = \(scope.now) WHERE id = \(lock)")
    }

    package static func unlock(_ lock: RecordID, on id: RecordID, of module: Module, _ scope: WriteScope) throws {
        _ = try held(lock, id, module, scope)
        try release([id], of: module, scope)
    }

    /// A lock set by hand; one that a rule set goes when the rule no longer holds.
    private static func held(_ lock: RecordID, _ id: RecordID, _ module: Module, _ scope: WriteScope) throws -> Lock {
        _ = try loaded(id, module, scope)
        guard let found = try self.lock(of: id, scope.tx), found.id == lock else { throw Rejection.invalidPathID(3) }
        guard found.rule == nil else { throw Rejection(.notAllowed, message: "the lock was set by a rule", status: 403, .id(lock)) }
        return found
    }

    private static func loaded(_ id: RecordID, _ module: Module, _ scope: WriteScope) throws -> (Record, LockingConfiguration) {
        try scope.access.require(.edit, module)
        try scope.access.require(.lock, module)
        guard let configuration = LockingConfiguration.of(module, scope.catalog) else { throw unconfigured }
        let rows = try Planner(scope.catalog, scope.access).rows([id], of: module, for: .lock, scope.tx)
        guard let record = rows[id] else { throw rows.refusal(of: id, else: .invalidPathID(1)) }
        try RecordStore.refuseIfHeld(record)
        return (record, configuration)
    }

    package static let unconfigured = Rejection(
        .notAllowed, message: "record locking is not configured for the module", .resourcePathIndex(0))
}

extension RecordQueries {
    /// The lock of a record, with the record's name; `nil` when the record is not there.
    package func lock(of id: RecordID, in module: Module) async throws -> (lock: RecordLocks.Lock?, name: String?)? {
        try access.require(.view, module)
        let planner = Planner(catalog, access)
        return try await read { tx in
            guard let record = try planner.rows([id], of: module, for: .view, locked: false, tx)[id] else { return nil }
            return (try RecordLocks.lock(of: id, tx), access.name(of: record))
        }
    }
}
