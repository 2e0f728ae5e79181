import Metadata
import SQLStore
import Wire

/// Writes a batch of a file's rows as records, all through the record pipeline and in sets.
struct BulkBatch {
    let request: BulkWriteRequest
    let resource: BulkWriteRequest.Resource
    let module: Module
    let records: RecordStore
    let scope: WriteScope

    /// What became of each row, in their order.
    func write(_ rows: [[String]]) throws -> [BulkOutcome] {
        let cells = try BulkCells(request, resource, module, scope.catalog, scope.access)
        return try write(BulkItems(rows, cells, try BulkReferences(rows, cells, scope)))
    }

    /// The same for rows that have been read before.
    func write(_ read: BulkItems) throws -> [BulkOutcome] {
        guard let drafts = read.drafts.take() else { return read.outcomes(try apply(read.items)) }
        let written = try records.insert(drafts, count: read.items.count, scope)
        return read.outcomes(zip(read.items, written).map { ($0.row, Self.outcome($1, .added)) })
    }

    private func apply(_ items: [BulkItems.Item]) throws -> [(Int, BulkOutcome)] {
        guard !items.isEmpty else { return [] }
        switch request.operation {
        case .insert, .read:
            guard let findBy = resource.findBy else { return try insert(items) }
            let (fresh, refused) = try newOnes(items, findBy)
            return try refused + insert(fresh)
        case .update: return try update(items, findBy: resource.findBy ?? "id")
        case .upsert:
            let fields = resource.findBy.flatMap { $0 == "id" ? nil : module.field($0) }
            let outcomes = try records.upsert(items.map(\.item), module, matching: fields.map { [$0] } ?? [], scope)
            return zip(items, outcomes).map { item, outcome in
                switch outcome {
                case .success(let upserted):
                    (item.row, BulkOutcome(status: upserted.action == .insert ? .added : .updated, id: upserted.record.id))
                case .failure(let rejection): (item.row, BulkOutcome(rejection))
                }
            }
        }
    }

    private func insert(_ items: [BulkItems.Item]) throws -> [(Int, BulkOutcome)] {
        guard !items.isEmpty else { return [] }
        return zip(items, try records.insert(items.map(\.item), module, scope)).map { ($0.row, Self.outcome($1, .added)) }
    }

    /// Rows whose record is there already are left out, and so are those that repeat one before them.
    private func newOnes(_ items: [BulkItems.Item], _ findBy: String) throws -> (
        [BulkItems.Item], [(Int, BulkOutcome)]
    ) {
        var known = try holders(items, findBy)
        var fresh: [BulkItems.Item] = []
        var refused: [(Int, BulkOutcome)] = []
        for item in items {
            guard let key = key(item.item, findBy) else {
                fresh.append(item)
                continue
            }
            if let holder = known[key] {
                refused.append((item.row, BulkOutcome(status: .skipped, id: holder, errors: "DUPLICATE_DATA-\(findBy)")))
            } else {
                known[key] = .some(nil)
                fresh.append(item)
            }
        }
        return (fresh, refused)
    }

    private func update(_ items: [BulkItems.Item], findBy: String) throws -> [(Int, BulkOutcome)] {
        var outcomes: [(Int, BulkOutcome)] = []
        var named: [BulkItems.Item] = []
        let known = findBy == "id" ? [:] : try holders(items, findBy)
        for item in items {
            let id =
                findBy == "id"
                ? item.item.value["id"]?.looseInt64.map(RecordID.init(raw:)) : key(item.item, findBy).flatMap { known[$0] ?? nil }
            guard let id else {
                let isEmpty = item.item.value[findBy].map(\.isNull) ?? true
                outcomes.append((item.row, .skipped(isEmpty ? "MANDATORY_NOT_FOUND" : "RESOURCE_NOT_FOUND", findBy)))
                continue
            }
            var value = item.item.value
            value["id"] = .id(id)
            named.append(BulkItems.Item(row: item.row, item: JSONCursor(value)))
        }
        guard !named.isEmpty else { return outcomes }
        return outcomes + zip(named, try records.update(named.map(\.item), module, scope)).map { ($0.row, Self.outcome($1, .updated)) }
    }

    private static func outcome(_ outcome: RecordStore.Outcome, _ status: BulkOutcome.Status) -> BulkOutcome {
        switch outcome {
        case .success(let record): BulkOutcome(status: status, id: record.id)
        case .failure(let rejection): BulkOutcome(rejection)
        }
    }

    /// The records that hold the rows' values of a field. One statement.
    private func holders(_ items: [BulkItems.Item], _ findBy: String) throws -> [SQLValue: RecordID?] {
        if findBy == "id" {
            let ids = items.compactMap { $0.item.value["id"]?.looseInt64 }
            guard let table = module.table else { return [:] }
            let there = try scope.tx.rows("SELECT id FROM \(table) WHERE \(.memberIDs("id", ids))") { $0.integer(0) ?? 0 }
            return Dictionary(uniqueKeysWithValues: there.map { (.integer($0), RecordID(raw: $0)) })
        }
        guard let field = module.field(findBy) else { throw Rejection(.invalidField, .apiName(findBy)) }
        let values = Set(items.compactMap { value($0.item, field) })
        return try UniqueValues(field, module, for: scope.access.user).holders(of: Array(values), scope.tx).mapValues { $0.first?.id }
    }

    private func key(_ item: JSONCursor, _ findBy: String) -> SQLValue? {
        if findBy == "id" { return item.value["id"]?.looseInt64.map(SQLValue.integer) }
        return module.field(findBy).flatMap { value(item, $0) }.map(UniqueValues.key)
    }

    private func value(_ item: JSONCursor, _ field: Field) -> SQLValue? {
        guard let input = item.optional(field.apiName), !input.value.isNull else { return nil }
        guard let value = try? field.type.decode(input, field, scope.catalog).bind(field).first else { return nil }
        return value.isNull ? nil : value
    }
}
