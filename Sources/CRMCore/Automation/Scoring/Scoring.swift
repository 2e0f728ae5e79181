import Metadata
import SQLStore
import Wire

/// Scores records of one module by rules, and keeps what comes of it.
struct Scoring {
    private struct Part {
        let rule: RecordID
        let score: Int
    }

    private let module: Module
    private let rules: [ScoringRule]
    private let tests: RuleTests<Part>
    private let scope: WriteScope

    /// All active rules of the module, or those of them that are named; `nil` when there are none.
    init?(_ module: Module, only wanted: Set<RecordID>? = nil, _ scope: WriteScope) {
        guard ScoringRule.supports(module) else { return nil }
        rules = ScoringRule.active(in: module.id, scope.catalog).filter { wanted?.contains($0.id) ?? true }
        guard !rules.isEmpty else { return nil }
        tests = RuleTests(
            module, rules.flatMap { rule in rule.fieldRules.map { (Part(rule: rule.id, score: $0.score), $0.criteria) } }, scope)
        self.module = module
        self.scope = scope
    }

    /// Whether some rule counts calls.
    var countsCalls: Bool { ScoringRule.isAboutPeople(module) && rules.contains { $0.signalRules.contains { $0.signal.isRaised } } }

    func concern(_ change: PendingChange) -> Bool {
        tests.concern(change) || (change.before != nil && change.before?["Layout"] != change.after["Layout"])
    }

    /// Brings the scores of records in step with what they hold. They are locked already, or are locked now.
    func apply(to ids: [RecordID], locking: Bool = false) throws {
        guard !ids.isEmpty else { return }
        var points: [Scores.Key: Scores.Points] = [:]
        for (id, parts) in try tests.matches(ids, locking: locking) {
            for part in parts { points[.init(record: id, rule: part.rule), default: .init()].add(part.score) }
        }
        if countsCalls {
            if locking, tests.isEmpty { try lock(ids) }
            for (id, calls) in try SignalCounts.missedCalls(of: ids, in: module, scope) {
                for rule in rules {
                    for part in rule.signalRules where part.signal.isRaised {
                        points[.init(record: id, rule: rule.id), default: .init()].add(part.score, times: calls, touch: true)
                    }
                }
            }
        }
        let layouts = try layouts(of: ids)
        let inPlace = points.filter { key, points in
            guard !points.isEmpty, let rule = rules.first(where: { $0.id == key.rule }) else { return false }
            return rule.layout == nil || rule.layout == layouts[key.record]
        }
        try Scores.put(inPlace, of: rules.map(\.id), for: ids, in: module.id, scope)
    }

    private func lock(_ ids: [RecordID]) throws {
        guard let table = module.table else { return }
        _ = try scope.tx.rows(
            "SELECT t.id FROM \(table) t WHERE \(.memberIDs("t.id", ids.map(\.raw).sorted())) ORDER BY t.id\(.lockRowsForChange)"
        ) { $0.integer(0) }
    }

    /// Asked only where a rule is about one layout.
    private func layouts(of ids: [RecordID]) throws -> [RecordID: RecordID] {
        guard rules.contains(where: { $0.layout != nil }), let table = module.table, let column = module.field("Layout")?.columns.first
        else {
            return [:]
        }
        var found: [RecordID: RecordID] = [:]
        try scope.tx.forEach("SELECT t.id, t.\(column) FROM \(table) t WHERE \(.memberIDs("t.id", ids.map(\.raw).sorted()))") { row in
            found[RecordID(raw: row.integer(0) ?? 0)] = row.integer(1).map(RecordID.init(raw:))
        }
        return found
    }
}

extension Scoring {
    /// Scores records anew after something other than a write of theirs changed what counts.
    static func refresh(_ ids: [RecordID], of module: Module, _ scope: WriteScope) throws {
        try Scoring(module, scope)?.apply(to: ids)
    }
}

/// Keeps scores in step with records, and with the calls that name them.
struct ScoringRecordRule: RecordRule {
    func concerns(_ module: Module) -> Bool { ScoringRule.supports(module) || module.apiName == "Calls" }

    func after(_ changes: [PendingChange], _ scope: WriteScope) throws {
        guard let module = changes.first?.after.module else { return }
        guard module.apiName == "Calls" else {
            guard let scoring = Scoring(module, scope) else { return }
            return try scoring.apply(to: changes.filter(scoring.concern).map(\.after.id))
        }
        for name in ["Contacts", "Leads"] {
            guard let people = scope.catalog.module(name), let scoring = Scoring(people, scope), scoring.countsCalls else { continue }
            try scoring.apply(to: SignalCounts.people(of: changes, in: people), locking: true)
        }
    }
}
