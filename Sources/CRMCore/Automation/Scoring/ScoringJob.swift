import Metadata
import SQLStore
import Wire

/// Scores the records of a module by rules: when somebody asks for it, and when a rule has changed. Only records made or active in the
/// last six months are scored (scoring-rules, 14). A rule that is inactive or gone takes its scores with it.
package struct ScoringJob: JobHandler {
    package static let kind = "scoring_rules"
    private static let batch = 500
    private static let removal = 5_000
    private static let window: Int64 = 183 * 86_400_000

    package init() {}

    /// `anew` says that what the rules gave so far says nothing any more.
    static func schedule(
        _ rules: [RecordID], of module: ModuleID, anew: Bool, _ ids: any IDSource, at now: Instant, _ tx: Transaction
    ) throws -> RecordID {
        let id = ids.next()
        try JobQueue.enqueue(
            kind,
            [
                "module": .string(String(module.raw)), "rules": .array(rules.map { .id($0) }), "anew": .bool(anew),
                "since": .integer(now.milliseconds - window),
                "after": .null,
            ], id: id, at: now, tx)
        return id
    }

    /// Batches in ascending order of id; where the last one ended is kept with it.
    package func run(_ job: Job, _ services: Services) async throws {
        var goesOn = true
        while goesOn {
            try Task.checkCancellation()
            let access = AccessPolicy.system("scoring rules hold for all records")
            goesOn = try await services.write(services.catalog.current(), access, .scoringRule, group: job.id) { scope in
                guard var payload = try JobQueue.progress(job.id, kind: job.kind, locked: true, scope.tx)?.payload else { return false }
                if try Self.remove(&payload, job, scope) { return true }
                return try Self.score(&payload, job, scope)
            }
        }
    }

    /// Takes away what has no rule any more, a batch at a time; whether it did.
    private static func remove(_ payload: inout JSONValue, _ job: Job, _ scope: WriteScope) throws -> Bool {
        let rules = ids(payload)
        let active = Set(ScoringRule.active(in: module(payload), scope.catalog).map(\.id))
        let stale = payload["anew"]?.bool == true ? rules : rules.filter { !active.contains($0) }
        // A probe of the index for each of at most fifty rules.
        for rule in stale where try Scores.forget(rule, upTo: removal, scope.tx) { return true }
        payload["anew"] = false
        return false
    }

    private static func score(_ payload: inout JSONValue, _ job: Job, _ scope: WriteScope) throws -> Bool {
        guard let module = scope.catalog.module(id: module(payload))?.whole, let table = module.table,
            let scoring = Scoring(module, only: Set(ids(payload)), scope)
        else { return false }
        let after = SQLValue.integer(payload["after"]?.looseInt64 ?? 0)
        let since = SQLValue.integer(payload["since"]?.int64 ?? 0)
        let times = ["Created_Time", "Modified_Time", "Last_Activity_Time"].compactMap { module.field($0)?.columns.first }
        let isRecent: SQL = times.isEmpty ? "1 = 1" : "(\(.joined(times.map { "t.\($0) >= \(since)" as SQL }, by: " OR ")))"
        let found = try scope.tx.rows(
            "SELECT t.id FROM \(table) t WHERE t.id > \(after) AND \(isRecent) ORDER BY t.id LIMIT \(.integer(Int64(batch)))\(.lockRowsForChange)"
        ) { RecordID(raw: $0.integer(0) ?? 0) }
        guard let last = found.last else { return false }
        try scoring.apply(to: found)
        payload["after"] = .id(last)
        try JobQueue.advance(job.id, done: found.count, failed: 0, payload: payload, scope.tx)
        return found.count == batch
    }

    private static func ids(_ payload: JSONValue) -> [RecordID] {
        (payload["rules"]?.array ?? []).compactMap { $0.looseInt64.map(RecordID.init(raw:)) }
    }

    private static func module(_ payload: JSONValue) -> ModuleID { ModuleID(raw: payload["module"]?.looseInt64 ?? 0) }
}

/// A request to score what is there already.
package struct ScoringRun: Sendable {
    package enum Choice: Sendable {
        /// By their ids, with their places in the body.
        case rules([(id: RecordID, path: JSONPath)])
        case layout(RecordID, JSONPath)
        case everything
    }

    /// Most rules that one call may name (14, request keys).
    package static let most = 5

    private let module: Module
    private let choice: Choice

    package init(_ module: Module, _ choice: Choice) {
        self.module = module
        self.choice = choice
    }

    package func schedule(_ scope: WriteScope) throws -> RecordID {
        let all = ScoringRule.all(scope.catalog).filter { $0.module == module.id }
        guard !all.isEmpty else { throw Rejection(.cannotPerformAction, message: "the module has no scoring rules") }
        let active = all.filter(\.isActive)
        var chosen = active
        switch choice {
        case .everything: break
        case .layout(let id, let path):
            let isKnown = scope.catalog.documents(.layout).contains { $0.id == id && $0.parent?.raw == module.id.raw }
            guard isKnown else { throw Rejection.invalid(at: path) }
            chosen = active.filter { $0.layout == nil || $0.layout == id }
        case .rules(let named):
            for rule in named where !active.contains(where: { $0.id == rule.id }) { throw Rejection.invalid(at: rule.path) }
            chosen = active.filter { rule in named.contains { $0.id == rule.id } }
        }
        return try ScoringJob.schedule(chosen.map(\.id), of: module.id, anew: false, scope.ids, at: scope.now, scope.tx)
    }
}
