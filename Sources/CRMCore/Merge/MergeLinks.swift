import Metadata
import SQLStore
import Wire

/// Unites the link rows of those who take part in a succession: one row for each pair of records. The heir's row stays, then the
/// first leaver's; its empty columns are filled from the rows that go, and those are kept in the change log. A row between two of them
/// goes, too: it would link the heir with itself. All of it happens before any side is pointed elsewhere, so that what is kept is what
/// was there, even where both sides are of the module that is merged.
struct MergeLinks {
    private let link: Module
    private let table: TableName
    private let succession: Succession
    private let scope: WriteScope
    private let left: Field
    private let right: Field
    private let side: Field?
    /// The sides that may hold participants: one as a rule, both where records of the merged module are linked with each other.
    private let sides: [Field]

    /// `nil` when the module links nothing to the participants. With `side`, only that one is looked at.
    init?(_ link: Module, _ succession: Succession, side: Field? = nil, _ scope: WriteScope) {
        guard let table = link.table, let (left, right) = link.linkPair else { return nil }
        self.link = link
        self.table = table
        self.succession = succession
        self.scope = scope
        self.left = left
        self.right = right
        self.side = side
        let modules = Set(succession.participants.map(\.module))
        sides = [left, right].filter { field in
            guard !field.columns.isEmpty, side.map({ $0 === field }) ?? true else { return false }
            return field.isAnyLookup || field.target.map(modules.contains) ?? false
        }
        if sides.isEmpty { return nil }
    }

    /// Fills and drops; the caller then moves what is left. Returns how many rows were dropped.
    func unite() throws -> Int {
        let dropped = try scope.tx.executeAll([logStatement]).last ?? 0
        if dropped > 0 { try fillAndDrop() }
        return dropped
    }

    /// Logs the rows that go, whole, before anything is done; tells how many they are.
    var logStatement: RenderedSQL {
        let image: [(String, SQL)] = link.storedColumns.map { ($0.name.raw, "\($0.name, of: "t")") }
        let statements = SuccessionStatements(succession, scope).rendered("links \(side?.id.raw ?? 0)", subject: link.id.raw, values: []) {
            succession, stamp, _ in
            let surplus = (MergeLinks(link, succession, side: side, scope) ?? self).surplus
            return [
                ChangeLog.rows(
                    kind: .linkDropped, sides[0], of: link, table, before: "\(.jsonObject(image))", after: "NULL",
                    where: "t.id IN (\(surplus))", stamp)
            ]
        }
        return statements[0]
    }

    /// Gives what stays what it lacks, and takes away what `logStatement` logged.
    func fillAndDrop() throws {
        for own in ownFields { try fill(own) }
        try scope.tx.execute("DELETE FROM \(table) WHERE id IN (\(surplus))")
    }

    /// How many rows `unite` would drop, and how many of those hold a leaver on each side.
    typealias Forecast = (dropped: Int, holding: [FieldID: Int])

    /// Asks for the forecast, in one row; writes nothing.
    var forecastQuestion: RenderedSQL {
        let statements = SuccessionStatements(succession, scope).rendered(
            "link counts \(side?.id.raw ?? 0)", subject: link.id.raw, values: []
        ) {
            succession, _, _ in
            let links = MergeLinks(link, succession, side: side, scope) ?? self
            let holding: [SQL] = sides.map { side in
                let moving = SuccessionRows(side, succession).moving(of: link, alias: "t")
                return "coalesce(sum(CASE WHEN \(moving) THEN 1 ELSE 0 END), 0)"
            }
            return [
                "SELECT count(*), \(.joined(holding, by: ", ")) FROM \(table) t WHERE t.id IN (\(links.surplus))"
            ]
        }
        return statements[0]
    }

    func forecast(_ row: borrowing Row) -> Forecast {
        var holding: [FieldID: Int] = [:]
        for (number, side) in sides.enumerated() { holding[side.id] = Int(row.integer(number + 1) ?? 0) }
        return (Int(row.integer(0) ?? 0), holding)
    }

    /// The ids of the rows that will be left of those with a participant in `parent`, which is one of the sides.
    func remaining(in parent: Field, atMost limit: Int) -> SQL {
        """
        SELECT t.id FROM \(table) t WHERE \(SuccessionRows(parent, succession).held(by: succession.participants, alias: "t")) \
        AND t.id NOT IN (\(surplus)) ORDER BY t.id LIMIT \(.integer(Int64(limit)))
        """
    }

    /// Columns the link has besides its two sides and what every record has.
    private var ownFields: [Field] {
        link.fields.filter { $0.settable && !$0.columns.isEmpty && $0.body["link_side"]?.bool != true && $0.apiName != "id" }
    }

    /// Rows that have a participant on a side.
    private func held(_ alias: String) -> SQL {
        let parts = sides.map { "(\(SuccessionRows($0, succession).held(by: succession.participants, alias: alias)))" as SQL }
        return parts.count == 1 ? parts[0] : "(\(.joined(parts, by: " OR ")))"
    }

    /// 0 for rows without leavers, which are the heir's; then the leavers in order.
    private func rank(_ alias: String) -> SQL {
        let ranks = sides.map { side -> SQL in
            let column = side.columns[0]
            let children = succession.leavers.enumerated().map { index, child in
                " WHEN \(child.id) THEN \(.literal(Int64(index + 1)))" as SQL
            }
            return "CASE \(column, of: alias)\(.joined(children, by: "")) ELSE 0 END"
        }
        return .joined(ranks, by: " + ")
    }

    /// What of a row tells its pair afterwards. The only side that holds participants will be the heir in all of them.
    private func pair(_ alias: String) -> [SQL] {
        if sides.count == 1 { return (sides[0] === left ? right : left).columns.map { "\($0, of: alias)" } }
        let children: SQL = .joined(succession.leavers.map { "\($0.id)" }, by: ", ")
        return [left, right].flatMap { side -> [SQL] in
            let names = side.columns.map { "\($0, of: alias)" as SQL }
            let canonical: SQL = "CASE WHEN \(names[0]) IN (\(children)) THEN \(succession.heir.id) ELSE \(names[0]) END"
            return [canonical] + names.dropFirst()
        }
    }

    /// The rows beyond the first for each pair, and those between two participants, which would link the heir with itself. Rows that
    /// lack a side are none of them alike.
    private var surplus: SQL {
        let linked: SQL = .joined([left, right].compactMap(\.columns.first).map { "\($0, of: "l") IS NOT NULL" }, by: " AND ")
        let within = between("l")
        let parts = pair("l") + (within.map { ["CASE WHEN \($0) THEN 1 ELSE 0 END"] } ?? [])
        let own: SQL = within.map { ", CASE WHEN \($0) THEN 1 ELSE 0 END AS s" } ?? ", 0 AS s"
        return """
            SELECT r.id FROM (SELECT l.id AS id, row_number() OVER (PARTITION BY \(.joined(parts, by: ", ")) ORDER BY \(rank("l")), l.id) AS n\(own) \
            FROM \(table) l WHERE \(held("l")) AND \(linked)) r WHERE r.n > 1 OR r.s = 1
            """
    }

    /// Rows that link two of the participants with each other; `nil` where there can be none.
    private func between(_ alias: String) -> SQL? {
        guard sides.count == 2, let one = left.columns.first, let other = right.columns.first else { return nil }
        let ids: SQL = .joined(succession.participants.map { "\($0.id)" }, by: ", ")
        return "(\(one, of: alias) IN (\(ids)) AND \(other, of: alias) IN (\(ids)) AND \(one, of: alias) <> \(other, of: alias))"
    }

    /// Gives rows without a value in `own` the first one found among the rows for the same pair.
    private func fill(_ own: Field) throws {
        guard let column = own.columns.first else { return }
        let same: SQL = .joined(zip(pair("l"), pair("t")).map { "\($0) = \($1)" as SQL }, by: " AND ")
        let apart: SQL = between("l").map { " AND NOT \($0)" } ?? ""
        let donors: SQL = "FROM \(table) l WHERE \(held("l")) AND \(same) AND \(column, of: "l") IS NOT NULL\(apart)"
        let empty: SQL = "\(held("t")) AND \(column, of: "t") IS NULL AND EXISTS (SELECT 1 \(donors))"
        try ChangeLog.appendRows(kind: .linkFilled, own, of: link, table, before: "NULL", after: "NULL", where: empty, scope)
        try scope.tx.execute(
            """
            UPDATE \(table) AS t SET \(column) = (SELECT \(column, of: "l") \(donors) ORDER BY \(rank("l")), l.id LIMIT 1) WHERE \(empty)
            """)
    }
}
