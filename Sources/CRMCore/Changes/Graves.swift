import Metadata
import SQLStore
import Wire

/// Rows that are no more: deleted ones that may come back, permanent ones, and those merged into another.
package enum Graves {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_grave (id \(.type(.integer)) PRIMARY KEY, module_id \(.type(.integer)) NOT NULL, kind \(.type(.text)) NOT NULL,
            display_name \(.type(.text)), created_by \(.type(.integer)), deleted_by \(.type(.integer)) NOT NULL,
            deleted_at \(.type(.integer)) NOT NULL, group_id \(.type(.integer)) NOT NULL, successor \(.type(.integer)),
            image \(.type(.text)) NOT NULL)\(.strict)
        """,
        "CREATE INDEX sys_grave_list ON sys_grave (module_id, deleted_at, id)",
        "CREATE INDEX sys_grave_group ON sys_grave (group_id)",
    ]

    /// `root` is the record a row was deleted with; empty for rows deleted for themselves, which are those the recycle bin shows.
    static let rootSchema: [SQL] = [
        "ALTER TABLE sys_grave ADD COLUMN root \(.type(.integer))",
        "CREATE INDEX sys_grave_root ON sys_grave (root) WHERE root IS NOT NULL",
        "CREATE INDEX sys_grave_bin ON sys_grave (deleted_at, id) WHERE kind = 'recycle' AND root IS NULL",
    ]

    /// Whose record it was, so that what is gone is seen by who saw it. Rows buried before are filled in by `GraveOwners`.
    static let ownerSchema: [SQL] = [
        "ALTER TABLE sys_grave ADD COLUMN owner \(.type(.integer))",
        "CREATE INDEX sys_grave_owner ON sys_grave (module_id, owner, deleted_at)",
    ]

    /// Why a row left its table.
    package enum Kind: String, Sendable { case recycle, permanent, merged }

    /// Moves rows out of their table, image first. The rows may be of one module only. `roots` names the records they go with.
    static func bury(
        _ records: [Record], as kind: Kind, successor: RecordID? = nil, roots: [RecordID: RecordID] = [:], _ scope: WriteScope
    ) throws {
        guard let module = records.first?.module, let table = module.table else { return }
        let rows = records.map { record -> [SQLValue] in
            [
                .integer(record.id.raw), .integer(module.id.raw), .text(kind.rawValue), .text(record.displayName), record["Created_By"],
                .integer(scope.access.user.raw), .integer(scope.now.milliseconds), .integer(scope.group.raw), .init(successor?.raw),
                .text(image(of: record).text), .id(roots[record.id]), record["Owner"],
            ]
        }
        try scope.tx.insert(
            into: "sys_grave",
            [
                "id", "module_id", "kind", "display_name", "created_by", "deleted_by", "deleted_at", "group_id", "successor", "image",
                "root", "owner",
            ], rows: rows)
        try scope.tx.perform("DELETE FROM \(table) WHERE \(.memberIDs("id", records.map(\.id.raw)))")
        if module.isSearched { try SearchIndex.remove(records.map(\.id), scope.tx) }
        if kind == .permanent {
            try FieldFiles.removeAll(of: records.map(\.id), at: scope.now, scope.tx)
            try Emails.erase(records.map(\.id), at: scope.now, scope.tx)
        }
    }

    /// A row as JSON by physical column name, so that it can return after the module has changed.
    static func image(of record: Record) -> JSONValue {
        .object(
            zip(record.module.storedColumns, record.values).compactMap { column, value in
                value.isNull ? nil : .init(column.name.raw, value.json)
            })
    }

    /// The record an image describes; columns it does not know are empty.
    static func record(_ image: JSONValue, of module: Module) -> Record {
        Record(
            module,
            values: module.storedColumns.map { column in
                image[column.name.raw].map { SQLValue($0, as: column.type) } ?? (column.name.raw == "row_version" ? .integer(0) : .null)
            })
    }

    /// A line of the deleted list.
    package struct Listed: Sendable {
        package let id: RecordID
        package let kind: Kind
        package let displayName: String?
        package let createdBy: Int64?
        package let deletedBy: Int64?
        package let deletedAt: Instant
    }

    /// What left a module, newest first.
    package static func list(
        of module: Module, _ kinds: [Kind], since: Instant?, skipping: Int, limit: Int, _ access: AccessPolicy, _ tx: Transaction
    ) throws -> [Listed] {
        let later: SQL = since.map { " AND g.deleted_at > \($0)" } ?? ""
        let visible: SQL = access.graves(for: .view).map { " AND \($0)" } ?? ""
        let isNamed = module.whole.displayField.map { access.right(on: $0) != .hidden } ?? true
        let names: SQL = .joined(kinds.map { "\(SQLValue.text($0.rawValue))" }, by: ", ")
        return try tx.rows(
            """
            SELECT g.id, g.kind, g.display_name, g.created_by, g.deleted_by, g.deleted_at FROM sys_grave g \
            WHERE g.module_id = \(.integer(module.id.raw)) AND g.kind IN (\(names))\(later)\(visible) \
            ORDER BY g.deleted_at DESC, g.id DESC LIMIT \(.integer(Int64(limit))) OFFSET \(.integer(Int64(skipping)))
            """
        ) { row in
            Listed(
                id: RecordID(raw: row.integer(0) ?? 0), kind: Kind(rawValue: row.text(1) ?? "") ?? .permanent,
                displayName: isNamed ? row.text(2) : nil,
                createdBy: row.integer(3), deletedBy: row.integer(4), deletedAt: Instant(milliseconds: row.integer(5) ?? 0))
        }
    }

    /// The survivor a merged record of the module went into, following merges of merges.
    package static func successor(of id: RecordID, in module: ModuleID, _ tx: Transaction) throws -> RecordID? {
        let sql: SQL = "SELECT 1 FROM sys_grave WHERE id = \(id) AND module_id = \(.integer(module.raw)) AND kind = 'merged'"
        guard try tx.first(sql, { _ in true }) == true else { return nil }
        return try successors(of: [id], tx)[id]
    }

    /// The survivors of those among `ids` that were merged away; one statement for each merge along the longest chain.
    static func successors(of ids: Set<RecordID>, _ tx: Transaction) throws -> [RecordID: RecordID] {
        var found: [RecordID: RecordID] = [:]
        var asked = ids
        // A chain is as long as the merges one after another; 100 guards against a corrupt loop.
        for _ in 0..<100 where !asked.isEmpty {
            let next = try tx.rows(
                "SELECT id, successor FROM sys_grave WHERE \(.memberIDs("id", asked.map(\.raw).sorted())) AND kind = 'merged' AND successor IS NOT NULL"
            ) { (RecordID(raw: $0.integer(0) ?? 0), RecordID(raw: $0.integer(1) ?? 0)) }
            let step = Dictionary(next, uniquingKeysWith: { first, _ in first })
            for id in ids { if let further = step[found[id] ?? id] { found[id] = further } }
            asked = Set(step.values)
        }
        return found
    }

    /// Rows that return from a grave, with lookups at records merged away meanwhile pointed at the survivors. What they point at is
    /// held, so that it cannot be merged away before they are back.
    static func followed(_ records: [Record], _ scope: WriteScope) throws -> [Record] {
        guard let lookups = records.first?.module.fields.filter({ $0.isRecordLookup && !$0.columns.isEmpty }), !lookups.isEmpty else {
            return records
        }
        var records = records
        // Each round follows merges that were under way when the round before looked; 10 is more than can happen to meet.
        for _ in 0..<10 {
            let targets = records.flatMap { record in lookups.compactMap { record.target(of: $0) } }
            _ = try HeldReferences(targets).hold(scope)
            let successors = try successors(of: Set(targets.map { RecordID(raw: $0.id) }), scope.tx)
            guard !successors.isEmpty else { break }
            for index in records.indices {
                for field in lookups {
                    guard let id = records[index][field].integer, let successor = successors[RecordID(raw: id)] else { continue }
                    records[index][field] = .integer(successor.raw)
                }
            }
        }
        return records
    }

    /// Puts rows of one module back into their table as they were, but for lookups at records merged away meanwhile. Both the
    /// recycle bin and the undo of a merge return rows this way. `checking` sees them before they are there; `subject` is named
    /// when another record stands in the way.
    static func reopen(
        _ records: [Record], subject: RecordID? = nil, checking: ([Record]) throws -> Void = { _ in }, _ scope: WriteScope
    ) throws {
        guard let module = records.first?.module, let table = module.table else { return }
        let records = try followed(records, scope)
        try checking(records)
        try refusingTakenValues(in: module, subject: subject, scope) {
            try scope.tx.insert(into: table, module.storedColumns.map(\.name), rows: records.map(\.values))
        }
        try SearchIndex.add(records, scope.tx)
        try ChangeLog.append(records.map { .init(record: $0, kind: .restored) }, scope)
    }

    /// A unique value that another record has taken since is refused, and nothing of `body` stays.
    static func refusingTakenValues(in module: Module, subject: RecordID? = nil, _ scope: WriteScope, _ body: () throws -> Void) throws {
        do {
            try scope.tx.savepoint(body)
        } catch SQLFailure.unique(let constraint) {
            let field = IndexName.uniqueField(constraint).flatMap { module.field($0) }
            let named: [Rejection.Detail] = subject.map { [.id($0)] } ?? []
            throw Rejection(
                .duplicateData, message: "another record has taken a unique value", details: named + [.apiName(field?.apiName ?? "id")])
        }
    }
}
