import Metadata
import SQLStore
import Wire

/// What one rule gave one record, as callers may see it. Contract: scoring-rules, 15.
package struct EntityScore: Sendable {
    package let id: RecordID
    package let record: RecordID
    package let module: Module
    package let rule: RecordID
    package let positive: Int64?
    package let negative: Int64?
    package let touchPositive: Int64?
    package let touchNegative: Int64?

    /// Points for signals; nothing where there are none.
    package var touch: Int64? { Self.sum(touchPositive, touchNegative) }
    /// Everything together.
    package var score: Int64? { Self.sum(Self.sum(positive, negative), touch) }

    private static func sum(_ one: Int64?, _ other: Int64?) -> Int64? { one == nil && other == nil ? nil : (one ?? 0) + (other ?? 0) }
}

/// Which scores are asked for.
package struct ScoreQuestion: Sendable {
    package enum Order: String, Sendable, CaseIterable {
        case id
        case score = "Score"
        case positive = "Positive_Score"
        case negative = "Negative_Score"
    }

    /// Of one record; else of all that the caller sees.
    package var record: (id: RecordID, module: Module)?
    /// Only these, by their own ids or by those of their records.
    package var ids: [RecordID]?
    package var order = Order.id
    package var descending = false
    /// Beyond this one, in the order of ids.
    package var after: RecordID?
    package var skipping = 0
    package var limit = 200

    package init() {}
}

extension RecordQueries {
    /// A page of scores, and whether there are more; `nil` when the record asked about is not there for the caller.
    package func scores(_ question: ScoreQuestion) async throws -> (found: [EntityScore], more: Bool)? {
        let rules = ScoringRule.all(catalog).filter(\.isActive)
        if let record = question.record {
            try access.require(.view, record.module)
            guard try await exists(record.id, in: record.module) else { return nil }
        }
        var places: [SQL] = []
        for id in Set(rules.map(\.module)).sorted() {
            guard let module = catalog.module(id: id), let table = module.table, access.may(.view, module),
                question.record.map({ $0.module.id == id }) ?? true
            else { continue }
            let mine = rules.filter { $0.module == id }.map(\.id.raw).sorted()
            let visible: SQL = access.rows(of: module, for: .view, alias: "t").map { " AND \($0)" } ?? ""
            places.append(
                """
                (s.module_id = \(.literal(id.raw)) AND \(.memberIDs("s.rule_id", mine)) \
                AND EXISTS (SELECT 1 FROM \(table) t WHERE t.id = s.record_id\(visible)))
                """)
        }
        guard !places.isEmpty else { return ([], false) }
        let sql = Self.sql(question, places)
        let catalog = catalog
        let found = try await read { tx in
            try tx.rows(sql) { row -> EntityScore? in
                guard let module = catalog.module(id: ModuleID(raw: row.integer(2) ?? 0)) else { return nil }
                return EntityScore(
                    id: RecordID(raw: row.integer(0) ?? 0), record: RecordID(raw: row.integer(1) ?? 0), module: module,
                    rule: RecordID(raw: row.integer(3) ?? 0), positive: row.integer(4), negative: row.integer(5),
                    touchPositive: row.integer(6), touchNegative: row.integer(7))
            }
        }.compactMap(\.self)
        return (Array(found.prefix(question.limit)), found.count > question.limit)
    }

    private static func sql(_ question: ScoreQuestion, _ places: [SQL]) -> SQL {
        var conditions: [SQL] = ["(\(.joined(places, by: " OR ")))"]
        if let record = question.record { conditions.append("s.record_id = \(record.id)") }
        if let ids = question.ids?.map(\.raw) { conditions.append("(\(.memberIDs("s.id", ids)) OR \(.memberIDs("s.record_id", ids)))") }
        if let after = question.after { conditions.append(question.descending ? "s.id < \(after)" : "s.id > \(after)") }
        let direction: SQL = question.descending ? " DESC" : ""
        let order: SQL
        switch question.order {
        case .id: order = "s.id\(direction)"
        case .score:
            order =
                "coalesce(s.positive, 0) + coalesce(s.negative, 0) + coalesce(s.touch_positive, 0) + coalesce(s.touch_negative, 0)\(direction), s.id"
        case .positive: order = "coalesce(s.positive, 0)\(direction), s.id"
        case .negative: order = "coalesce(s.negative, 0)\(direction), s.id"
        }
        return """
            SELECT s.id, s.record_id, s.module_id, s.rule_id, s.positive, s.negative, s.touch_positive, s.touch_negative FROM sys_score s \
            WHERE \(.joined(conditions, by: " AND ")) ORDER BY \(order) LIMIT \(.integer(Int64(question.limit) + 1)) \
            OFFSET \(.integer(Int64(question.skipping)))
            """
    }
}
