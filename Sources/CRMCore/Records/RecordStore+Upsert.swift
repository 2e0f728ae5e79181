import Metadata
import SQLStore
import Wire

extension RecordStore {
    /// What an upsert did with an item.
    package enum Action: String, Sendable { case insert, update }

    /// Updates the record an item matches, or adds one. `fields` are asked in order; the first with a match decides, and
    /// `duplicateField` names it.
    package struct Upserted: Sendable {
        package let record: Record
        package let action: Action
        package let duplicateField: String?
    }

    package func upsert(
        _ items: [JSONCursor], _ module: Module, matching fields: [Field], unmodifiedSince: Instant? = nil, _ scope: WriteScope
    ) throws -> [Result<Upserted, Rejection>] {
        let module = module.whole
        var outcomes: [Result<Upserted, Rejection>] = []
        outcomes.reserveCapacity(items.count)
        var start = 0
        while start < items.count {
            // A value that repeats inside the batch must find the record its first mention made: a new round begins there.
            let end = roundEnd(items, from: start, fields, scope)
            outcomes += try round(Array(items[start..<end]), module, fields, unmodifiedSince, scope)
            start = end
        }
        return outcomes
    }

    private struct Mention: Hashable {
        let field: FieldID
        let value: SQLValue
    }

    private func roundEnd(_ items: [JSONCursor], from start: Int, _ fields: [Field], _ scope: WriteScope) -> Int {
        var seen: Set<Mention> = []
        for index in start..<items.count {
            let values = fields.compactMap { field in
                value(of: field, in: items[index], scope).map { Mention(field: field.id, value: UniqueValues.key($0)) }
            }
            if values.contains(where: seen.contains) { return index }
            seen.formUnion(values)
        }
        return items.count
    }

    private func round(
        _ items: [JSONCursor], _ module: Module, _ fields: [Field], _ unmodifiedSince: Instant?, _ scope: WriteScope
    ) throws -> [Result<Upserted, Rejection>] {
        var matches: [Int: (id: RecordID, field: String?)] = [:]
        // A duplicate that the caller does not see is one all the same: nothing is added beside it, and nothing is told of it.
        var hidden: [Int: Rejection] = [:]
        for (index, item) in items.enumerated() {
            do throws(Rejection) {
                guard item.value["id"] != "", let id = try item.ownID() else { continue }
                matches[index] = (id, nil)
            } catch {
                hidden[index] = error
            }
        }
        for field in fields {
            let open = items.indices.filter { matches[$0] == nil && hidden[$0] == nil }
            let values = open.compactMap { index in value(of: field, in: items[index], scope).map { (index, $0) } }
            // What was converted is not changed any more, so it is no match.
            let holders = try UniqueValues(field, module, for: scope.access.user, converted: false).holders(of: values.map(\.1), scope.tx)
            let visible = try scope.access.rows(Set(holders.values.joined().map(\.id)), of: module, for: .view, scope.tx)
            for (index, value) in values {
                guard let found = holders[UniqueValues.key(value)], !found.isEmpty else { continue }
                if let holder = found.first(where: { visible.contains($0.id) }) {
                    matches[index] = (holder.id, field.apiName)
                } else {
                    hidden[index] = .duplicate(at: items[index].path.appending(field.apiName))
                }
            }
        }
        let updates = items.indices.filter { matches[$0] != nil }
        let inserts = items.indices.filter { matches[$0] == nil && hidden[$0] == nil }
        let updated = try update(updates.map { items[$0].with(id: matches[$0]?.id) }, module, unmodifiedSince: unmodifiedSince, scope)
        let inserted = inserts.isEmpty ? [] : try insert(inserts.map { items[$0] }, module, scope)
        var outcomes: [Int: Result<Upserted, Rejection>] = hidden.mapValues { .failure($0) }
        for (index, outcome) in zip(updates, updated) {
            outcomes[index] = outcome.map { Upserted(record: $0, action: .update, duplicateField: matches[index]?.field) }
        }
        for (index, outcome) in zip(inserts, inserted) {
            outcomes[index] = outcome.map { Upserted(record: $0, action: .insert, duplicateField: nil) }
        }
        return items.indices.compactMap { outcomes[$0] }
    }

    private func value(of field: Field, in item: JSONCursor, _ scope: WriteScope) -> SQLValue? {
        guard scope.access.right(on: field) != .hidden, let input = item.optional(field.apiName), !input.value.isNull,
            input.value != .string("")
        else { return nil }
        guard let value = try? field.type.decode(input, field, scope.catalog) else { return nil }
        return value.bind(field).first.flatMap { $0.isNull ? nil : $0 }
    }
}

extension JSONCursor {
    /// The same item, naming the record it goes to.
    fileprivate func with(id: RecordID?) -> JSONCursor {
        guard let id else { return self }
        var value = value
        value["id"] = .id(id)
        return JSONCursor(value, at: path)
    }
}
