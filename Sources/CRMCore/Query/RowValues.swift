import Metadata
import SQLStore
import Wire

/// The rows of a record, field by field, read before the record itself and written in their place in it.
package struct RowValues: Sendable {
    private var arrays: [[UInt8]] = []
    private var cut: [Bool] = []

    /// A record without rows.
    package init() {}

    /// One statement for each plan.
    init(_ plans: [QueryPlan], _ context: RenderContext, _ tx: Transaction) throws {
        for plan in plans {
            var json = JSONWriter(capacity: 1024)
            json.beginArray()
            let page = try RecordReader.write(plan, context, tx, to: &json)
            json.endArray()
            arrays.append(json.finish())
            cut.append(page.more)
        }
    }

    func write(_ index: Int, to json: inout JSONWriter) {
        if arrays.indices.contains(index) { json.raw(arrays[index]) } else { json.null() }
    }

    /// Which of the fields have more rows than are shown.
    func hasMore(_ fields: [RowField]) -> JSONValue {
        .object(zip(fields, cut).map { .init($0.field.apiName, .bool($1)) })
    }
}

extension RowField {
    /// The rows of one record, the oldest first; lines go by their number. A link to a record that is gone is left out.
    func query(of record: RecordID, in module: Module) -> Query {
        var filter = Condition.pointsAt(field: parent.id, record, module.id)
        if case .link(let theirs) = kind { filter = filter.and(.refersToLiving(theirs.id)) }
        let order = self.module.field("Sequence_Number") == nil ? "id" : "Sequence_Number"
        var query = Query(
            self.module, fields: shownFields, filter: filter, order: .init(field: order, descending: false), limit: Self.limit)
        query.depth = .row
        return query
    }
}
