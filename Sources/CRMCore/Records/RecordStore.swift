import Metadata
import SQLStore
import Wire

/// The one way records change. Decoding, rules, rows and change log, for a batch at a time, item by item refused.
package struct RecordStore: Sendable {
    package typealias Outcome = Result<Record, Rejection>

    package let rules: [any RecordRule]

    /// Adds records. The outcomes stand in the order of the items.
    package func insert(_ items: [JSONCursor], _ module: Module, _ scope: WriteScope) throws -> [Outcome] {
        let reading = RecordDrafts.Reading(scope.catalog, scope.access, scope.origin, scope.ids)
        return try insert(RecordDrafts(items, module, reading), count: items.count, scope)
    }

    /// Adds records that have been read before, on the same catalog.
    func insert(_ drafts: consuming RecordDrafts, count: Int, _ scope: WriteScope) throws -> [Outcome] {
        try scope.access.require(.create, drafts.module)
        return try finish(Batch(drafts, scope), count: count, scope)
    }

    /// Adds one record that has values already, such as a copy; `tags` unless the item names its own.
    func add(_ item: JSONCursor, to record: Record, tags: [String], _ scope: WriteScope) throws -> Outcome {
        try scope.access.require(.create, record.module)
        // What its values point at may be on its way into another record.
        let record = try Graves.followed([record], scope).first ?? record
        var batch = Batch(record.module, scope)
        batch.decode(0) { () throws(Rejection) in
            var decoded = try RecordDecoder(catalog: scope.catalog, module: record.module, access: scope.access).decode(
                item, into: record, .insert)
            if decoded.0.tags == nil, !tags.isEmpty { decoded.0.tags = tags }
            return decoded
        }
        return try finish(batch, count: 1, scope)[0]
    }

    /// Changes records named by the `id` in each item. `unmodifiedSince` refuses those changed later; those outside
    /// `condition` are unknown.
    package func update(
        _ items: [JSONCursor], _ module: Module, where condition: Condition = .always, unmodifiedSince: Instant? = nil,
        as action: LockedAction = .update, _ scope: WriteScope
    ) throws -> [Outcome] {
        try scope.access.require(.edit, module)
        let module = module.whole
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(items.count)
        var rest = items[...]
        while !rest.isEmpty {
            // A record named again must be read as its first mention left it: a new round begins there.
            var seen: Set<Int64> = []
            let end = rest.firstIndex { item in item.value["id"]?.looseInt64.map { !seen.insert($0).inserted } ?? false } ?? rest.endIndex
            // All rounds together lock in one order.
            if outcomes.isEmpty, end < rest.endIndex { _ = try hold(items, module, condition, scope) }
            outcomes += try updateRound(Array(rest[..<end]), module, condition, unmodifiedSince, as: action, scope)
            rest = rest[end...]
        }
        return outcomes
    }

    /// Locks the rows that items name, and reads them.
    private func hold(_ items: [JSONCursor], _ module: Module, _ condition: Condition, _ scope: WriteScope) throws -> LoadedRows {
        let ids = items.compactMap { $0.value["id"]?.looseInt64.map(RecordID.init(raw:)) }
        return try Planner(scope.catalog, scope.access).rows(ids, of: module, for: .edit, where: condition, scope.tx)
    }

    private func updateRound(
        _ items: [JSONCursor], _ module: Module, _ condition: Condition, _ unmodifiedSince: Instant?, as action: LockedAction,
        _ scope: WriteScope
    ) throws -> [Outcome] {
        let rows = try hold(items, module, condition, scope)
        var batch = Batch(module, scope)
        for (index, item) in items.enumerated() {
            batch.decode(index) { () throws(Rejection) in
                let id = try item.required("id").recordID()
                guard let row = rows[id] else { throw rows.refusal(of: id, else: .unknownRecord(at: item.path.appending("id"))) }
                try Self.refuseIfHeld(row)
                // In whole seconds, which is all that callers were shown.
                if let unmodifiedSince, let modified = row["Modified_Time"].integer, modified / 1000 > unmodifiedSince.milliseconds / 1000 {
                    throw Rejection(.alreadyModified, .id(id))
                }
                let decoded = try RecordDecoder(catalog: scope.catalog, module: module, access: scope.access, for: scope.origin).decode(
                    item, into: row, .update)
                if decoded.0.after["Owner"] != row["Owner"] {
                    try scope.access.require(.changeOwner, module)
                    if !rows.grants(.changeOwner, id) { throw rows.refusal(of: id, .changeOwner, else: Rejection(.noPermission)) }
                }
                try LockingConfiguration.refuse(action, on: row, changing: decoded.0.given, scope)
                if decoded.0.tags != nil { try LockingConfiguration.refuse(.tags, on: row, scope) }
                return decoded
            }
        }
        return try finish(batch, count: items.count, scope)
    }

    /// Adds a record that the server itself has put together, with what every record carries, its rules and its log.
    func add(_ record: Record, _ scope: WriteScope) throws -> Record {
        try scope.access.require(.create, record.module)
        var batch = Batch(record.module, scope)
        batch.decode(0) { () throws(Rejection) in (PendingChange(kind: .insert, before: nil, after: record, path: JSONPath()), []) }
        guard let outcome = try finish(batch, count: 1, scope).first else { throw Rejection(.internalError) }
        return try outcome.get()
    }

    /// A record under merge cannot be changed (`merge.md` §8), nor one that was converted.
    static func refuseIfHeld(_ record: Record) throws(Rejection) {
        if record.heldByMerge != nil { throw Rejection(.recordLocked, .id(record.id)) }
        try Conversions.refuseChange(of: record)
    }

    /// Rules, unique values, rows, log. Items refused on the way leave the others alone.
    func finish(_ batch: consuming Batch, count: Int, _ scope: WriteScope) throws -> [Outcome] {
        var batch = batch
        try batch.refuseReferences()
        try batch.resolveFiles()
        try RowResolver(rules: self.rules, scope: scope).resolve(&batch)
        let rules = try rules(for: batch, scope)
        let stamp = Stamp(batch.module, scope)
        try batch.forEach { change in
            stamp.mark(&change)
            for rule in rules { try rule.before(&change, scope) }
        }
        try batch.refuseTakenValues()
        try batch.refuseValuesTakenElsewhere()
        try write(&batch, scope)
        let written = batch.changes
        for rule in rules where !written.isEmpty { try rule.after(written, scope) }
        try followUpRows(of: written, scope)
        return batch.outcomes(count)
    }

    private func rules(for batch: Batch, _ scope: WriteScope) throws -> [any RecordRule] {
        try rules.filter { $0.concerns(batch.module) }.map { try $0.prepared(for: batch.changes, scope) }
    }

    private func followUpRows(of changes: [PendingChange], _ scope: WriteScope) throws {
        for (_, rows) in Dictionary(grouping: changes.flatMap(\.rows), by: \.rows.module.id) {
            let written = rows.flatMap(\.written)
            guard let module = written.first?.after.module else { continue }
            for rule in rules where rule.concerns(module) { try rule.after(written, scope) }
        }
    }

    /// The batch goes in at once; only when the engine refuses a unique value is it tried again item by item.
    private func write(_ batch: inout Batch, _ scope: WriteScope) throws {
        guard !batch.changes.isEmpty else { return }
        guard
            batch.module.isUniqueSomewhere || batch.changes.contains(where: { $0.rows.contains { $0.rows.module.isUniqueSomewhere } })
        else { return try Self.write(batch.changes, scope) }
        do {
            try scope.tx.savepoint { try Self.write(batch.changes, scope) }
        } catch SQLFailure.unique {
            try batch.forEach { change in
                do {
                    try scope.tx.savepoint { try Self.write([change], scope) }
                } catch SQLFailure.unique(let constraint) {
                    throw Rejection.duplicate(at: change.path(of: IndexName.uniqueField(constraint)))
                }
            }
        }
    }

    static func write(_ changes: [PendingChange], _ scope: WriteScope) throws {
        guard let module = changes.first?.after.module, let table = module.table else { return }
        let inserts = changes.compactMap { $0.kind == .insert ? $0.after.values : nil }
        if !inserts.isEmpty { try scope.tx.insert(into: table, module.storedColumns.map(\.name), rows: inserts, sparse: true) }
        // Each update sets its own columns; a call holds at most 100.
        for change in changes where change.kind == .update {
            guard let before = change.before else { continue }
            try update(change.after, from: before, table, scope)
        }
        try ChangeLog.append(
            changes.map { change in
                change.before.map { .change(from: $0, to: change.after) } ?? ChangeLog.Entry(record: change.after, kind: .added)
            }, scope)
        try TagStore.apply(changes, scope)
        try FileValues.apply(changes, scope)
        try RowWriter.apply(changes, scope)
        try ExternalValues.apply(changes, scope)
    }

    /// Writes the columns in which two states of a record differ.
    static func update(_ record: Record, from before: Record, _ table: TableName, _ scope: WriteScope) throws {
        let columns = record.module.storedColumns
        let changed = columns.indices.filter { $0 != record.module.versionSlot && record.values[$0] != before.values[$0] }
        let settings = changed.map { "\(columns[$0].name) = \(record.values[$0])" as SQL } + ["row_version = row_version + 1"]
        try scope.tx.perform("UPDATE \(table) SET \(.joined(settings, by: ", ")) WHERE id = \(record.id)")
    }
}

extension Module {
    /// Whether an engine may refuse rows because of what other rows hold.
    fileprivate var isUniqueSomewhere: Bool { linkPair != nil || fields.contains(where: \.unique) }
}

extension PendingChange {
    /// Where the caller gave a field of the record, or of its rows.
    fileprivate func path(of field: FieldID?) -> JSONPath {
        guard let field else { return path }
        if let own = after.module.field(field) { return path.appending(own.apiName) }
        return rows.first { $0.rows.module.field(field) != nil }.map { path.appending($0.rows.field.apiName) } ?? path
    }
}

extension Rejection {
    /// An id that names no record of the module which the caller may touch.
    package static func unknownRecord(at path: JSONPath) -> Rejection {
        .invalid(at: path, message: "the id given seems to be invalid")
    }
}
