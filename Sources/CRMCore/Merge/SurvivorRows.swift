import Metadata
import SQLStore
import Wire

/// The rows that will hang on a survivor, field by field: those of a subform come from one record, links from all of them.
struct SurvivorRows {
    private let plan: MergePlan
    private let scope: WriteScope
    private let fields: [RowField]

    init(_ plan: MergePlan, _ fields: [RowField], _ scope: WriteScope) {
        self.plan = plan
        self.fields = fields
        self.scope = scope
    }

    func values(_ render: RenderContext) throws -> RowValues {
        guard !fields.isEmpty else { return RowValues() }
        let planner = Planner(scope.catalog, scope.access)
        return try RowValues(try fields.map { try planner.plan(try query($0)) }, render, scope.tx)
    }

    private func query(_ rows: RowField) throws -> Query {
        let request = plan.request
        switch rows.kind {
        case .subform:
            let giver = MergeSubforms(request, scope.catalog).giver(of: rows.module.id)
            return rows.query(of: giver.map { request.children[$0].id } ?? request.master.id, in: request.module)
        case .link(let theirs):
            var query = rows.query(of: request.master.id, in: request.module)
            guard let links = MergeLinks(rows.module.whole, request.succession, scope) else { return query }
            let ids = try scope.tx.rows(links.remaining(in: rows.parent, atMost: RowField.limit + 1)) {
                RecordID(raw: $0.integer(0) ?? 0)
            }
            query.filter = .all([.ids(ids), .refersToLiving(theirs.id)])
            return query
        }
    }

    /// The record with the rows of subforms naming it, whichever they name now.
    func renamed(_ record: JSONValue) -> JSONValue {
        var record = record
        let owner: JSONValue = ["name": .string(plan.survivor.displayName), "id": .id(plan.request.master.id)]
        for rows in fields where rows.module.isSubform {
            guard let shown = record[rows.field.apiName]?.array else { continue }
            record[rows.field.apiName] = .array(
                shown.map { row in
                    guard row[rows.parent.apiName]?["id"] != nil else { return row }
                    var row = row
                    row[rows.parent.apiName] = owner
                    return row
                })
        }
        return record
    }
}
