import Metadata
import SQLStore
import Wire

/// What each rule gives each record; a record that a rule gives nothing has no row. Owns `sys_score`.
enum Scores {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_score (id \(.type(.integer)) PRIMARY KEY, record_id \(.type(.integer)) NOT NULL, module_id \(.type(.integer)) NOT NULL,
            rule_id \(.type(.integer)) NOT NULL, positive \(.type(.integer)), negative \(.type(.integer)),
            touch_positive \(.type(.integer)), touch_negative \(.type(.integer)))\(.strict)
        """,
        "CREATE UNIQUE INDEX sys_score_record ON sys_score (record_id, rule_id)",
        "CREATE INDEX sys_score_rule ON sys_score (rule_id, id)",
    ]

    private static let columns: [ColumnName] = [
        "id", "record_id", "module_id", "rule_id", "positive", "negative", "touch_positive", "touch_negative",
    ]

    /// Points by what they are for; nothing where there are none of a kind.
    struct Points: Equatable {
        var positive: Int64?
        var negative: Int64?
        var touchPositive: Int64?
        var touchNegative: Int64?

        mutating func add(_ score: Int, times: Int = 1, touch: Bool = false) {
            let points = Int64(score * times)
            guard points != 0 else { return }
            switch (touch, points > 0) {
            case (false, true): positive = (positive ?? 0) + points
            case (false, false): negative = (negative ?? 0) + points
            case (true, true): touchPositive = (touchPositive ?? 0) + points
            case (true, false): touchNegative = (touchNegative ?? 0) + points
            }
        }

        var isEmpty: Bool { self == Points() }
    }

    struct Key: Hashable {
        let record: RecordID
        let rule: RecordID
    }

    /// Makes these the scores that the rules give the records. Rows keep their ids. Three statements at most, however many records;
    /// the records are locked.
    static func put(_ wanted: [Key: Points], of rules: [RecordID], for records: [RecordID], in module: ModuleID, _ scope: WriteScope) throws
    {
        var held: [Key: (id: RecordID, points: Points)] = [:]
        try scope.tx.forEach(
            """
            SELECT id, record_id, rule_id, positive, negative, touch_positive, touch_negative FROM sys_score \
            WHERE \(.memberIDs("record_id", records.map(\.raw).sorted())) AND \(.memberIDs("rule_id", rules.map(\.raw).sorted()))
            """
        ) { row in
            let key = Key(record: RecordID(raw: row.integer(1) ?? 0), rule: RecordID(raw: row.integer(2) ?? 0))
            let points = Points(
                positive: row.integer(3), negative: row.integer(4), touchPositive: row.integer(5), touchNegative: row.integer(6))
            held[key] = (RecordID(raw: row.integer(0) ?? 0), points)
        }
        let stale = held.filter { wanted[$0.key] != $0.value.points }
        if !stale.isEmpty {
            try scope.tx.execute("DELETE FROM sys_score WHERE \(.memberIDs("id", stale.map(\.value.id.raw).sorted()))")
        }
        let fresh = wanted.filter { held[$0.key]?.points != $0.value }
        try scope.tx.insert(
            into: "sys_score", columns,
            rows: fresh.map { key, points in
                [
                    .id(held[key]?.id ?? scope.ids.next()), .id(key.record), .integer(module.raw), .id(key.rule), .init(points.positive),
                    .init(points.negative), .init(points.touchPositive), .init(points.touchNegative),
                ]
            })
    }

    /// Records that are gone have no scores any more.
    static func forget(_ records: [Int64], _ tx: Transaction) throws {
        try tx.execute("DELETE FROM sys_score WHERE \(.memberIDs("record_id", records))")
    }

    /// Takes away what a rule gave, some of it; whether there may be more.
    static func forget(_ rule: RecordID, upTo limit: Int, _ tx: Transaction) throws -> Bool {
        let some: SQL = "SELECT s.id FROM sys_score s WHERE s.rule_id = \(rule) ORDER BY s.id LIMIT \(.integer(Int64(limit)))"
        return try tx.execute("DELETE FROM sys_score WHERE id IN (\(some))") == limit
    }
}
