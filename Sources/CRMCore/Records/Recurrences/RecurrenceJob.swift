import Metadata
import SQLStore
import Wire

/// Makes the further occurrences of an event or task: copies at the same time by the clocks of whoever asked, without the rule, so
/// that none repeats once more. A batch and the note of it are one transaction.
struct RecurrenceJob: JobHandler {
    static let kind = "recurrence"
    /// Occurrences behind the first: two years of weeks. The API names no number.
    static let most = 100
    private static let batch = 20

    func run(_ job: Job, _ services: Services) async throws {
        let user = UserID(raw: job.payload["user"]?.looseInt64 ?? 0)
        let records = services.records
        var more = true
        while more {
            try Task.checkCancellation()
            let catalog = services.catalog.current()
            // Who may not sign in any more, or not make such records, makes none.
            guard let access = try? AccessPolicy.of(user, catalog) else { return }
            do {
                more = try await services.write(catalog, access, .job, group: job.id) { scope in try Self.step(job, records, scope) }
            } catch is Rejection {
                return
            }
        }
    }

    /// Whether there is more to do.
    private static func step(_ job: Job, _ records: RecordStore, _ scope: WriteScope) throws -> Bool {
        // How far it is says the row, not the attempt.
        guard try JobQueue.holds(job, scope.tx), let kept = try JobQueue.progress(job.id, kind: kind, scope.tx) else { return false }
        let id = RecordID(raw: kept.payload["record"]?.looseInt64 ?? 0)
        guard let module = scope.catalog.module(id: ModuleID(raw: kept.payload["module"]?.looseInt64 ?? 0)) else { return false }
        let found = try Planner(scope.catalog, scope.access).rows([id], of: module, for: .view, locked: false, scope.tx)
        guard let original = found[id], let series = Series(original, scope) else { return false }
        let made = Int(kept.payload["made"]?.int64 ?? 0)
        if made == 0 { try JobQueue.setTotal(job.id, series.days.count, scope.tx) }
        let now = series.days.dropFirst(made).prefix(batch)
        var refused = 0
        // Up to 20 copies, each with its rows and tags.
        for day in now {
            do {
                try scope.tx.savepoint {
                    _ = try records.clone(id, of: module, overriding: JSONCursor(series.values(on: day)), scope).get()
                }
            } catch is Rejection {
                refused += 1
            }
        }
        var payload = kept.payload
        payload["made"] = .integer(made + now.count)
        try JobQueue.advance(job.id, done: now.count - refused, failed: refused, payload: payload, scope.tx)
        return made + now.count < series.days.count
    }
}

/// An activity that repeats, and what its occurrences have of their own.
private struct Series {
    private let original: Record
    private let zone: TimeZoneRule
    private let first: CalendarDate
    let days: [CalendarDate]

    /// `nil` when it does not repeat.
    init?(_ original: Record, _ scope: WriteScope) {
        zone = scope.catalog.user(scope.access.user)?.zone ?? scope.catalog.zone
        self.original = original
        guard let value = original["Recurring_Activity"].text.flatMap({ try? JSONValue.parse($0) }), let rule = value["RRULE"]?.string
        else {
            return nil
        }
        let begin = original["Start_DateTime"].integer.map(Instant.init(milliseconds:)) ?? scope.now
        let due = original["Due_Date"].text.flatMap { CalendarDate($0) }
        guard let first = due ?? begin.date(offsetMinutes: zone.offsetMinutes(at: begin)),
            let dates = RecurrenceDates(rule, except: value["EXDATE"]?.string, from: first)
        else { return nil }
        self.first = first
        days = dates.following(limit: RecurrenceJob.most)
    }

    /// What differs in the occurrence of that day.
    func values(on day: CalendarDate) -> JSONValue {
        var values: JSONValue = [:]
        let distance = day.daysSinceEpoch - first.daysSinceEpoch
        for name in ["Start_DateTime", "End_DateTime"] {
            guard let moment = original[name].integer else { continue }
            values[name] = .string(moved(Instant(milliseconds: moment), days: distance).iso(offsetMinutes: 0))
        }
        guard original.module.apiName == "Tasks" else {
            if let reminders = original["Remind_At"].text.flatMap({ try? JSONValue.parse($0) }) { values["Remind_At"] = reminders }
            return values
        }
        values["Due_Date"] = .string(day.iso)
        values["Recurring_Activity"] = .null
        // An alarm at a moment has its moment once.
        if original["Remind_At"].text?.contains("DATE-TIME") == true { values["Remind_At"] = .null }
        return values
    }

    /// The same time on the clocks of another day.
    private func moved(_ instant: Instant, days: Int) -> Instant {
        let local = instant.milliseconds + Int64(zone.offsetMinutes(at: instant)) * 60_000 + Int64(days) * 86_400_000
        let near = Instant(milliseconds: local - Int64(zone.offsetMinutes(at: Instant(milliseconds: local))) * 60_000)
        return Instant(milliseconds: local - Int64(zone.offsetMinutes(at: near)) * 60_000)
    }
}
