import Metadata
import SQLStore
import Wire

/// A service says where and when it is offered, by whom, and until when it is not. Contract: services, 143 and 144.
struct ServiceRule: RecordRule {
    static let durations: ClosedRange<Int64> = 15...1_440
    static let locations = ["Client Address", "Business Address", "Business Address and Client Address"]
    static let statuses = ["Available", "Temporarily Unavailable", "Not in Use"]
    /// Services of the organisation that are in use (services, 143).
    private static let mostActive = 500
    private static let mostDates = 20, mostTimings = 2
    /// Held by whoever adds to the services in use, so that two do not pass the limit together.
    private static let lockKey: Int64 = 0x7365_7276

    /// Records that would be one too many.
    private var excess: Set<RecordID> = []

    func concerns(_ module: Module) -> Bool { module.apiName == "Services__s" }

    func prepared(for changes: [PendingChange], _ scope: WriteScope) throws -> any RecordRule {
        let added = changes.filter { !Self.isActive($0.before) && Self.isActive($0.after) }
        guard !added.isEmpty, let module = added.first?.after.module, let table = module.table,
            let column = module.field("Status")?.columns.first
        else { return self }
        try scope.tx.advisoryLock(Self.lockKey, exclusive: true)
        let most = SQLValue.integer(Int64(Self.mostActive))
        let active: SQL = "SELECT 1 FROM \(table) WHERE \(column) <> \(.text("Not in Use")) OR \(column) IS NULL LIMIT \(most)"
        let count = try scope.tx.first("SELECT count(*) FROM (\(active)) x") { Int($0.integer(0) ?? 0) } ?? 0
        var rule = self
        rule.excess = Set(added.dropFirst(max(0, Self.mostActive - count)).map(\.after.id))
        return rule
    }

    private static func isActive(_ record: Record?) -> Bool {
        guard let record else { return false }
        return record["Status"].text != "Not in Use"
    }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        if excess.contains(change.after.id) {
            throw Rejection(.limitExceeded, .apiName("Status"), .other("limit", .integer(Self.mostActive)))
        }
        if change.after["Status"].isNull { change.after["Status"] = .text("Available") }
        try change.require("Status", among: Self.statuses)
        try change.require("Location", among: Self.locations)
        if change.gave("Duration"), let duration = change.after["Duration"].integer, !Self.durations.contains(duration) {
            throw Rejection(
                .invalidData, .apiName("Duration"), .jsonPath(change.path.appending("Duration")),
                .other("range", ["from": .integer(Self.durations.lowerBound), "to": .integer(Self.durations.upperBound)]))
        }
        if change.gave("Price"), let price = change.after["Price"].real, price < 0 {
            throw Rejection.invalid(at: change.path.appending("Price"))
        }
        try members(change, scope.catalog)
        try availability(&change, scope)
        try jobSheet(&change, scope.catalog)
        try status(&change, scope)
    }

    private func members(_ change: PendingChange, _ catalog: Catalog) throws(Rejection) {
        let rows = change.rows.first { $0.rows.field.apiName == "Members" }
        for row in rows?.written ?? [] {
            guard let id = row.after["Members"].integer, let user = catalog.user(UserID(raw: id)) else { continue }
            if !user.active || user.body["confirm"]?.bool == false {
                throw .invalid(at: row.path.appending("Members"), message: "the related id given seems to be invalid")
            }
        }
    }

    private func availability(_ change: inout PendingChange, _ scope: WriteScope) throws(Rejection) {
        let names = ServiceHours.Availability.allCases.map(\.rawValue)
        try change.require("Availability_Type", among: names)
        let working = WorkingHours(scope.catalog)
        try timings(change)
        guard let hours = ServiceHours(change.after, working) else { return }
        let path = change.path
        switch hours.availability {
        case .everyBusinessDay: break
        case .dateRange:
            for name in ["Available_From", "Available_Till"] where change.after[name].isNull {
                throw .dependent(name, on: "Availability_Type", at: path)
            }
            if let from = hours.from, let till = hours.till, till <= from { throw .invalid(at: path.appending("Available_Till")) }
        case .dates:
            guard !hours.dates.isEmpty else { throw .dependent("Available_Dates", on: "Availability_Type", at: path) }
            if hours.dates.count > Self.mostDates { throw .tooLong(Self.mostDates, at: path.appending("Available_Dates")) }
        case .weekdays:
            for day in change.after.list("Available_Days") where day.string.flatMap(Weekday.init) == nil {
                throw .unsupported(Weekday.allCases.map(\.rawValue), at: path.appending("Available_Days"))
            }
            guard !hours.weekdays.isEmpty else { throw .dependent("Available_Days", on: "Availability_Type", at: path) }
        }
        drop(&change, for: hours.availability)
        let touched = [
            "Availability_Type", "Available_From", "Available_Till", "Available_Dates", "Available_Days", "Available_Timings", "Status",
        ]
        .contains(where: change.gave)
        guard touched || change.kind == .insert, change.after["Status"].text != "Not in Use" else { return }
        try insideBusinessHours(change, hours, working)
        try notPast(change, hours, scope)
    }

    /// What belongs to another kind of availability goes.
    private func drop(_ change: inout PendingChange, for availability: ServiceHours.Availability) {
        if availability != .dateRange { for name in ["Available_From", "Available_Till"] { change.after[name] = .null } }
        if availability != .dates { change.after["Available_Dates"] = .null }
        if availability != .weekdays { change.after["Available_Days"] = .null }
    }

    private func timings(_ change: PendingChange) throws(Rejection) {
        guard change.gave("Available_Timings") || change.gave("Duration") else { return }
        let path = change.path.appending("Available_Timings")
        let given = change.after.list("Available_Timings")
        if given.count > Self.mostTimings { throw .tooLong(Self.mostTimings, at: path) }
        for (index, timing) in given.enumerated() {
            let place = path.appending(index)
            for end in ["From", "To"] {
                guard let text = timing[end], !text.isNull else { throw .missing(end, at: place) }
                if text.string.flatMap(WallClock.minutes) == nil { throw .invalid(at: place.appending(end)) }
            }
            guard let span = ServiceHours.timing(timing), span.count >= Int(change.after["Duration"].integer ?? 0) else {
                throw .invalid(at: place)
            }
        }
    }

    private func insideBusinessHours(_ change: PendingChange, _ hours: ServiceHours, _ working: WorkingHours) throws(Rejection) {
        func outside(_ name: String) -> Rejection { Rejection(.dependentMismatch, .apiName(name), .jsonPath(change.path.appending(name))) }
        let days: [Weekday]
        switch hours.availability {
        case .weekdays:
            if hours.weekdays.contains(where: { working.span($0) == nil }) { throw outside("Available_Days") }
            days = Array(hours.weekdays)
        case .dates:
            days = hours.dates.map(WallClock.weekday)
            if days.contains(where: { working.span($0) == nil }) { throw outside("Available_Dates") }
        case .everyBusinessDay, .dateRange: days = working.workdays
        }
        for day in days {
            guard let span = working.span(day) else { continue }
            if hours.timings.contains(where: { $0.lowerBound < span.lowerBound || $0.upperBound > span.upperBound }) {
                throw outside("Available_Timings")
            }
        }
    }

    /// What is offered on days that are over only is not available (services, 143: NOT_ALLOWED).
    private func notPast(_ change: PendingChange, _ hours: ServiceHours, _ scope: WriteScope) throws(Rejection) {
        let today = WallClock(scope.now, scope.catalog.zone).day
        let name: String
        switch hours.availability {
        case .dates where hours.dates.allSatisfy({ $0 < today }): name = "Available_Dates"
        case .dateRange where (hours.till ?? today) < today: name = "Available_Till"
        default: return
        }
        throw Rejection(.notAllowed, status: 403, .apiName(name), .jsonPath(change.path.appending(name)))
    }

    private func jobSheet(_ change: inout PendingChange, _ catalog: Catalog) throws(Rejection) {
        if change.after["Job_Sheet_Required"].isNull { change.after["Job_Sheet_Required"] = .text("No") }
        try change.require("Job_Sheet_Required", among: ["Yes", "No"])
        let section = "Job_Sheet_Section__s"
        if change.after["Job_Sheet_Required"].text == "Yes" {
            if change.gave("Job_Sheet_Required"), !ServicePreferences(catalog).jobSheets {
                throw Rejection(
                    .notAllowed, status: 403, .apiName("Job_Sheet_Required"), .jsonPath(change.path.appending("Job_Sheet_Required")))
            }
            if change.after[section].isNull { throw .dependent(section, on: "Job_Sheet_Required", at: change.path) }
        } else {
            if change.gave(section), !change.after[section].isNull { throw .mismatch(section, with: "Job_Sheet_Required", at: change.path) }
            change.after[section] = .null
        }
    }

    private func status(_ change: inout PendingChange, _ scope: WriteScope) throws(Rejection) {
        let (from, till) = ("Unavailable_From", "Unavailable_Till")
        guard ["Status", from, till].contains(where: change.gave) || change.kind == .insert else { return }
        let path = change.path
        let now = scope.now.milliseconds
        switch change.after["Status"].text {
        case "Temporarily Unavailable":
            for name in [from, till] where change.after[name].isNull { throw .dependent(name, on: "Status", at: path) }
            if let end = change.after[till].integer, end <= now { throw .mismatch(till, with: "Status", at: path) }
        case "Not in Use":
            if change.after[from].isNull { throw .dependent(from, on: "Status", at: path) }
        default:
            // Back in use: what was said about the time before goes, unless the caller says it again.
            for name in [from, till] where change.kind == .update && !change.gave(name) && change.gave("Status") {
                change.after[name] = .null
            }
            let missing = [from, till].filter { change.after[$0].isNull }
            if missing.count == 1 { throw .mismatch(missing[0], with: "Status", at: path) }
            if let end = change.after[till].integer, end >= now { throw .mismatch(till, with: "Status", at: path) }
        }
        if change.gave(from), let start = change.after[from].integer, start > now { throw .invalid(at: path.appending(from)) }
    }
}

extension PendingChange {
    /// A value outside a list that has no room for others.
    func require(_ name: String, among values: [String]) throws(Rejection) {
        guard gave(name), let text = after[name].text else { return }
        if !values.contains(text) { throw .unsupported(values, at: path.appending(name)) }
    }
}
