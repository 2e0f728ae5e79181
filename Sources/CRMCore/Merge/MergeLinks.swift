import Metadata
import SQLStore
import Wire

/// Unites the link rows of those who take part in a succession: one row for each linked record. The heir's row stays, then the first
/// leaver's; its empty columns are filled from the rows that go, and those are kept in the change log.
struct MergeLinks {
    let link: Module
    let table: TableName
    /// The lookup of the link that holds the participants.
    let field: Field
    let succession: Succession
    let scope: WriteScope

    /// Fills and drops; the caller then moves what is left. Returns how many rows were dropped.
    func unite() throws -> Int {
        guard let mine = field.columns.first, let other = otherSide, let theirs = other.columns.first else { return 0 }
        let surplus = surplus(mine, other)
        let image: [(String, SQL)] = link.storedColumns.map { ($0.name.raw, "\($0.name, of: "t")") }
        try ChangeLog.appendRows(
            kind: .linkDropped, field, of: link, table, before: "\(.jsonObject(image))", after: "NULL", where: "t.id IN (\(surplus))", scope
        )
        for own in ownFields { try fill(own, mine, theirs) }
        return try scope.tx.execute("DELETE FROM \(table) WHERE id IN (\(surplus))")
    }

    private var otherSide: Field? {
        guard let (left, right) = link.linkPair else { return nil }
        return left === field ? right : left
    }

    /// Columns the link has besides its two sides and what every record has.
    private var ownFields: [Field] {
        link.fields.filter { $0.settable && !$0.columns.isEmpty && $0.body["link_side"]?.bool != true && $0.apiName != "id" }
    }

    private var participants: SQL { SuccessionRows(field, succession).held(by: succession.participants, alias: "l") }

    /// 0 for the heir's rows, then the leavers in order.
    private func rank(_ mine: ColumnName, alias: String) -> SQL {
        let children = succession.leavers.enumerated().map { index, child in " WHEN \(child.id) THEN \(.literal(Int64(index + 1)))" as SQL }
        return "CASE \(mine, of: alias)\(.joined(children, by: "")) ELSE 0 END"
    }

    /// How many rows `unite` would drop, and how many would then move; writes nothing.
    func count() throws -> (dropped: Int, moved: Int) {
        guard let mine = field.columns.first, let other = otherSide else { return (0, 0) }
        let surplus = surplus(mine, other)
        let moving = SuccessionRows(field, succession).moving(of: link, alias: "t")
        let sql: SQL = """
            SELECT (SELECT count(*) FROM (\(surplus)) d), (SELECT count(*) FROM \(table) t WHERE \(moving) AND t.id NOT IN (\(surplus)))
            """
        return try scope.tx.first(sql) { (Int($0.integer(0) ?? 0), Int($0.integer(1) ?? 0)) } ?? (0, 0)
    }

    /// The rows beyond the first for each linked record. Rows that link to nothing are none of them alike.
    private func surplus(_ mine: ColumnName, _ other: Field) -> SQL {
        let partition: SQL = .joined(other.columns.map { "\($0, of: "l")" }, by: ", ")
        let linked: SQL = .joined(other.columns.map { "\($0, of: "l") IS NOT NULL" }, by: " AND ")
        return """
            SELECT r.id FROM (SELECT l.id AS id, row_number() OVER (PARTITION BY \(partition) ORDER BY \(rank(mine, alias: "l")), l.id) AS n \
            FROM \(table) l WHERE \(participants) AND \(linked)) r WHERE r.n > 1
            """
    }

    /// Gives rows without a value in `own` the first one found among the rows for the same record.
    private func fill(_ own: Field, _ mine: ColumnName, _ theirs: ColumnName) throws {
        guard let column = own.columns.first else { return }
        let inside = SuccessionRows(field, succession).held(by: succession.participants, alias: "t")
        let donors: SQL =
            "FROM \(table) l WHERE \(participants) AND \(theirs, of: "l") = \(theirs, of: "t") AND \(column, of: "l") IS NOT NULL"
        let empty: SQL = "\(inside) AND \(column, of: "t") IS NULL AND EXISTS (SELECT 1 \(donors))"
        try ChangeLog.appendRows(kind: .linkFilled, own, of: link, table, before: "NULL", after: "NULL", where: empty, scope)
        try scope.tx.execute(
            """
            UPDATE \(table) AS t SET \(column) = (SELECT \(column, of: "l") \(donors) ORDER BY \(rank(mine, alias: "l")), l.id LIMIT 1) WHERE \(empty)
            """)
    }
}
