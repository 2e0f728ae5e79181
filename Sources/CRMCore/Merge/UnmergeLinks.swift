import Metadata
import SQLStore
import Wire

/// Puts back the link rows that a merge dropped. One whose other record is gone since, or that exists again, stays out and is reported.
struct UnmergeLinks {
    private let link: Module
    private let scope: WriteScope

    init(_ link: Module, _ scope: WriteScope) {
        self.link = link
        self.scope = scope
    }

    func restore(_ dropped: [Record], _ outcome: inout UnmergeOutcome) throws {
        guard let table = link.table, let (left, right) = link.linkPair else { return }
        let rows = try Graves.followed(dropped, scope)
        let there = try present([left, right], rows)
        var pairs = try linked(left, right, rows, table)
        var back: [Record] = []
        for row in rows {
            let pair = [row[left], row[right]]
            if pair.allSatisfy({ $0.isNull || there.contains($0) }), pairs.insert(pair).inserted {
                back.append(row)
            } else {
                outcome.keptRows.append(.init(module: link.apiName, id: row.id, field: right.apiName))
            }
        }
        try scope.tx.insert(into: table, link.storedColumns.map(\.name), rows: back.map(\.values))
    }

    /// The linked records that exist: one statement for each module linked to.
    private func present(_ sides: [Field], _ rows: [Record]) throws -> Set<SQLValue> {
        var wanted: [ModuleID: Set<Int64>] = [:]
        for row in rows {
            for side in sides {
                guard let id = row[side].integer, let module = side.target ?? row.columns(of: side).last?.integer.map(ModuleID.init(raw:))
                else { continue }
                wanted[module, default: []].insert(id)
            }
        }
        var found: Set<SQLValue> = []
        for (module, ids) in wanted.sorted(by: { $0.key < $1.key }) {
            guard let table = scope.catalog.module(id: module)?.table else { continue }
            let sql: SQL = "SELECT t.id FROM \(table) t WHERE \(.memberIDs("t.id", ids.sorted())) ORDER BY t.id\(.keepRows)"
            try scope.tx.forEach(sql) { found.insert(.init($0.integer(0))) }
        }
        return found
    }

    /// The pairs that are linked already.
    private func linked(_ left: Field, _ right: Field, _ rows: [Record], _ table: TableName) throws -> Set<[SQLValue]> {
        guard let one = left.columns.first, let other = right.columns.first else { return [] }
        let ids = Set(rows.compactMap { $0[left].integer }).sorted()
        let pairs = try scope.tx.rows("SELECT \(one), \(other) FROM \(table) WHERE \(.memberIDs("\(one)", ids))") { row in
            [SQLValue(row.integer(0)), SQLValue(row.integer(1))]
        }
        return Set(pairs)
    }
}
