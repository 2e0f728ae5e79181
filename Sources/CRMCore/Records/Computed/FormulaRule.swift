import Metadata
import SQLStore
import Wire

/// Formula fields hold what their formula yields for the record as it is written.
struct FormulaRule: RecordRule {
    func concerns(_ module: Module) -> Bool { !module.formulas.isEmpty }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        Self.apply(to: &change.after, scope.catalog, at: scope.now)
    }

    /// For rows that are put together by other means than a write of the API: merges, jobs, what comes back from a grave.
    static func apply(to record: inout Record, _ catalog: Catalog, at now: Instant) {
        guard !record.module.formulas.isEmpty else { return }
        let clock = FormulaClock(now: now, zone: catalog.zone)
        for (field, formula) in record.module.formulas {
            let evaluator = FormulaEvaluator(record: record, assumesDefaults: formula.assumesDefaults, clock: clock)
            record[field] = evaluator.value(formula.root).stored(field, clock)
        }
    }
}
