import Metadata
import SQLStore
import Wire

/// What a merge does to subform rows (`merge.md` §4): they go with their child, unless the subform is named for a child; then
/// that child's rows replace the master's and keep their ids.
struct MergeSubforms {
    private let request: MergeRequest
    private let picked: [ModuleID: (child: Int, rows: RowField)]

    init(_ request: MergeRequest, _ catalog: Catalog) {
        self.request = request
        var picked: [ModuleID: (Int, RowField)] = [:]
        for rows in request.module.rowFields(catalog) where rows.module.isSubform {
            if case .child(let index) = request.sources[rows.field.id] { picked[rows.module.id] = (index, rows) }
        }
        self.picked = picked
    }

    /// The child whose rows of that module move to the master.
    func giver(of module: ModuleID) -> Int? { picked[module]?.child }

    /// The children whose rows of that module go.
    func losers(of module: ModuleID) -> [RecordID] {
        request.children.enumerated().filter { index, _ in index != picked[module]?.child }.map(\.element.id)
    }

    /// Buries the master's rows that a child's replace.
    func buryReplaced(_ scope: WriteScope) throws {
        for (_, entry) in picked.sorted(by: { $0.key < $1.key }) {
            try bury(of: entry.rows.module, entry.rows.parent, heldBy: [request.master.id], scope)
        }
    }

    func bury(of module: Module, _ field: Field, heldBy ids: [RecordID], _ scope: WriteScope) throws {
        guard let table = module.table, !ids.isEmpty else { return }
        let rows = try scope.tx.rows(
            "SELECT t.id FROM \(table) t WHERE \(SuccessionRows(field, request.succession).held(by: ids.map { Holder(request.module.id, $0) }, alias: "t"))"
        ) {
            RecordID(raw: $0.integer(0) ?? 0)
        }
        let found = try Planner(scope.catalog, .system("subform rows of a merged record go with it")).rows(
            rows, of: module, for: .delete, scope.tx)
        try Graves.bury(rows.compactMap { found[$0] }, as: .merged, successor: request.master.id, scope)
    }
}
