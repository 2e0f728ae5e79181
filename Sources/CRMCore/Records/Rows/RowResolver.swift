import Metadata
import SQLStore
import Wire

/// Turns what callers said about rows into changes of those rows, checked as records of their own are. A row that is refused
/// refuses its record. Works field by field over the whole batch.
struct RowResolver {
    let rules: [any RecordRule]
    let scope: WriteScope

    func resolve(_ batch: inout Batch) throws {
        let edited = Dictionary(
            batch.changes.flatMap(\.rowEdits).map { ($0.rows.field.id, $0.rows) }, uniquingKeysWith: { first, _ in first })
        for (_, rows) in edited.sorted(by: { $0.key < $1.key }) { try resolve(rows, &batch) }
        // A bulk write brings a record's rows behind it, from a file of their own.
        if scope.origin != .bulkWrite { try batch.forEach { change in try Self.requireMandatory(change, scope.catalog) } }
    }

    private func resolve(_ rows: RowField, _ batch: inout Batch) throws {
        let stored = try stored(
            rows, of: batch.changes.filter { $0.kind == .update && $0.edits(of: rows) != nil }.map(\.after.id))
        let prices = try LinePrices(batch.changes.compactMap { $0.edits(of: rows) }, rows.module, stored, scope)
        var children = Batch(rows.module, scope)
        var owners: [Int: Int] = [:]
        var changes: [Int: RowChanges] = [:]
        try batch.forEachIndexed { index, change in
            guard let edits = change.edits(of: rows) else { return }
            let plan = try RowPlan(edits, stored[change.after.id] ?? [], scope)
            changes[index] = RowChanges(rows: rows, removed: plan.removed, kept: plan.kept)
            for draft in plan.drafts(of: change.after, prices) {
                let number = owners.count
                owners[number] = index
                children.decode(number) { () throws(Rejection) in
                    try RecordDecoder(catalog: scope.catalog, module: rows.module, access: scope.access).decode(
                        draft.item, into: draft.record, draft.kind)
                }
            }
        }
        try check(&children, rows)
        var refused: [Int: Rejection] = [:]
        let outcomes = children.outcomes(owners.count)
        for (number, index) in owners.sorted(by: { $0.key < $1.key }) {
            if case .failure(let rejection) = outcomes[number], refused[index] == nil { refused[index] = rejection.inside(rows.field) }
        }
        for (number, change) in children.numbered { owners[number].map { changes[$0]?.written.append(change) } }
        try batch.forEachIndexed { index, change in
            if let rejection = refused[index] { throw rejection }
            if let found = changes[index] { change.rows.append(found) }
        }
    }

    /// What a record of its own passes before it is written.
    private func check(_ children: inout Batch, _ rows: RowField) throws {
        let module = children.module
        try children.refuseReferences()
        try children.resolveFiles()
        let pending = children.changes
        let rules = try rules.filter { $0.concerns(module) }.map { try $0.prepared(for: pending, scope) }
        let stamp = Stamp(module, scope)
        try children.forEach { change in
            stamp.mark(&change)
            for rule in rules { try rule.before(&change, scope) }
            if case .link(let theirs) = rows.kind, change.after[theirs].isNull {
                throw Rejection.missing(theirs.apiName, at: change.path)
            }
        }
        try children.refuseTakenValues()
    }

    private func stored(_ rows: RowField, of parents: [RecordID]) throws -> [RecordID: [Record]] {
        guard let table = rows.module.table, let column = rows.parent.columns.first, !parents.isEmpty else { return [:] }
        let ids = try scope.tx.rows("SELECT id FROM \(table) WHERE \(.memberIDs("\(column)", parents.map(\.raw)))") {
            RecordID(raw: $0.integer(0) ?? 0)
        }
        let system = Planner(scope.catalog, .system("who may change a record may change its rows"))
        let found = try system.rows(ids, of: rows.module, for: .edit, scope.tx).values.sorted { $0.id < $1.id }
        return Dictionary(grouping: found) { RecordID(raw: $0[rows.parent].integer ?? 0) }
    }

    /// A mandatory field of rows needs one: a new record must name some, and no change may leave none.
    private static func requireMandatory(_ change: PendingChange, _ catalog: Catalog) throws(Rejection) {
        for rows in change.after.module.rowFields(catalog) where rows.field.systemMandatory {
            let changed = change.rows.first { $0.rows.field === rows.field }
            if changed?.result.isEmpty ?? (change.kind == .insert) { throw .missing(rows.field.apiName, at: change.path) }
        }
    }
}

extension PendingChange {
    fileprivate func edits(of rows: RowField) -> RowEdits? { rowEdits.first { $0.rows.field === rows.field } }
}

extension Rejection {
    /// The same refusal, saying in which field of the record it happened (`common.md` §5).
    fileprivate func inside(_ field: Field) -> Rejection {
        let own = (details.members ?? []).map { Detail.other($0.name, $0.value) }
        return Rejection(code, message: message, status: status, details: [.other("parent_api_name", .string(field.apiName))] + own)
    }
}
