import Metadata
import SQLStore
import Wire

/// Writes a batch of rows that belong inside other records: of a subform, of line items, or of a linking module. They go through
/// their records, so that limits, totals and histories are as if somebody had edited those.
struct BulkRowBatch {
    let job: RecordID
    let request: BulkWriteRequest
    let resource: BulkWriteRequest.Resource
    let owner: Module
    let rows: RowField
    let records: RecordStore
    let scope: WriteScope

    private typealias Draft = (row: Int, item: JSONValue)

    func write(_ lines: [[String]]) throws -> [BulkOutcome] {
        let cells = try BulkCells(request, resource, rows.module, scope.catalog, scope.access)
        let references = try BulkReferences(lines, cells, scope)
        let parents = try parents(lines, cells, references)
        var outcomes: [BulkOutcome?] = Array(repeating: nil, count: lines.count)
        var drafts: [RecordID: [Draft]] = [:]
        for (index, line) in lines.enumerated() {
            guard let parent = parents[index] else {
                outcomes[index] = .skipped("RESOURCE_NOT_FOUND", rows.parent.apiName)
                continue
            }
            switch cells.item(line, references) {
            case .failure(let refusal): outcomes[index] = .skipped("INVALID_DATA", refusal.field)
            case .success(let members):
                let isChange = request.operation != .insert && members.contains { $0.name == "id" && !$0.value.isNull }
                let own = members.filter { $0.name != rows.parent.apiName && (isChange || $0.name != "id") }
                drafts[parent, default: []].append((index, .object(own)))
            }
        }
        for (row, outcome) in try apply(drafts) { outcomes[row] = outcome }
        return outcomes.map { $0 ?? BulkOutcome(Rejection(.cannotProcess)) }
    }

    /// One change of each record for all its rows; a record that is refused so is tried again row by row, of which there are as
    /// many as the batch has.
    private func apply(_ drafts: [RecordID: [Draft]]) throws -> [(Int, BulkOutcome)] {
        let ordered = drafts.sorted { $0.key < $1.key }
        var result: [(Int, BulkOutcome)] = []
        var again: [(RecordID, Draft)] = []
        for (one, outcome) in zip(ordered, try update(ordered.map { ($0.key, $0.value) })) {
            switch outcome {
            case .success(let ids): result += zip(one.value, ids).map { ($0.row, $1) }
            case .failure(let rejection) where one.value.count == 1: result.append((one.value[0].row, BulkOutcome(rejection)))
            case .failure: again += one.value.map { (one.key, $0) }
            }
        }
        for (parent, draft) in again {
            switch try update([(parent, [draft])])[0] {
            case .success(let outcomes): result.append((draft.row, outcomes[0]))
            case .failure(let rejection): result.append((draft.row, BulkOutcome(rejection)))
            }
        }
        return result
    }

    private func update(_ changes: [(RecordID, [Draft])]) throws -> [Result<[BulkOutcome], Rejection>] {
        guard !changes.isEmpty else { return [] }
        // Ids rise: what the pipeline adds to these records comes after this one, in the order of the rows.
        let mark = scope.ids.next()
        let items = changes.map { parent, drafts in
            JSONCursor(.object([.init("id", .id(parent)), .init(rows.field.apiName, .array(drafts.map(\.item)))]))
        }
        let outcomes = try records.update(items, owner, scope)
        let added = try added(to: changes.map(\.0), after: mark)
        return zip(changes, outcomes).map { change, outcome in
            outcome.map { _ in
                let fresh = change.1.filter { $0.item["id"] == nil }.count
                var ids = (added[change.0] ?? [])[...]
                // A link that was there already is not made again; which of them that was is not known here.
                if ids.count != fresh { ids = [] }
                return change.1.map { draft in
                    if let id = draft.item["id"]?.looseInt64 { return BulkOutcome(status: .updated, id: RecordID(raw: id)) }
                    return BulkOutcome(status: .added, id: ids.popFirst())
                }
            }
        }
    }

    private func added(to parents: [RecordID], after mark: RecordID) throws -> [RecordID: [RecordID]] {
        guard let table = rows.module.table, let column = rows.parent.columns.first else { return [:] }
        let sql: SQL =
            "SELECT \(column), id FROM \(table) WHERE \(.memberIDs("\(column)", parents.map(\.raw))) AND id > \(mark) ORDER BY id"
        var found: [RecordID: [RecordID]] = [:]
        try scope.tx.forEach(sql) { found[RecordID(raw: $0.integer(0) ?? 0), default: []].append(RecordID(raw: $0.integer(1) ?? 0)) }
        return found
    }

    /// The record each row belongs to: by a value it shares with a row of the first file, or by what the record itself holds.
    private func parents(_ lines: [[String]], _ cells: BulkCells, _ references: BulkReferences) throws -> [RecordID?] {
        guard let column = cells.columns.first(where: { $0.field === rows.parent }) else { return lines.map { _ in nil } }
        let texts = lines.map { BulkCells.text($0, column) }
        if let position = column.mapping.parentIndex {
            let known = try BulkKeys.records(of: texts, job, position, scope.tx)
            return texts.map { known[$0] }
        }
        if let found = column.found { return texts.map { references.id($0, found.field) } }
        return texts.map { RecordID($0) }
    }
}

/// Which record came of a value in a column of the first file.
enum BulkKeys {
    /// The first row with a value keeps it.
    static func add(_ pairs: [(String, RecordID)], _ job: RecordID, _ position: Int, _ tx: Transaction) throws {
        guard !pairs.isEmpty else { return }
        let rows = pairs.map { "(\(job), \(.integer(Int64(position))), \(.text($0.0)), \($0.1))" as SQL }
        try tx.execute(
            """
            INSERT INTO sys_bulk_key (job_id, position, value, record_id) VALUES \(.joined(rows, by: ", "))
            ON CONFLICT (job_id, position, value) DO NOTHING
            """)
    }

    static func records(of values: [String], _ job: RecordID, _ position: Int, _ tx: Transaction) throws -> [String: RecordID] {
        let wanted = Array(Set(values)).filter { !$0.isEmpty }
        guard !wanted.isEmpty else { return [:] }
        let sql: SQL = """
            SELECT value, record_id FROM sys_bulk_key WHERE job_id = \(job) AND position = \(.integer(Int64(position)))
            AND \(.memberTexts("value", wanted))
            """
        return Dictionary(
            try tx.rows(sql) { ($0.text(0) ?? "", RecordID(raw: $0.integer(1) ?? 0)) }, uniquingKeysWith: { first, _ in first })
    }
}
