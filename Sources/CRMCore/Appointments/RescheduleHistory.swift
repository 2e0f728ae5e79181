import Metadata
import SQLStore
import Wire

/// The moves of an appointment before its last one, which the appointment itself tells. Contract: appointments-rescheduled-history, 154.
enum RescheduleHistory {
    static let module = "Appointments_Rescheduled_History__s"
    /// As many as are kept of one appointment.
    static let limit = 20
    private static let copied = [
        "Rescheduled_From", "Rescheduled_To", "Rescheduled_Time", "Rescheduled_By", "Reschedule_Reason", "Reschedule_Note",
    ]

    /// Puts down what appointments said about their former move, and drops the oldest beyond the limit.
    static func keep(_ changes: [PendingChange], _ scope: WriteScope) throws {
        guard let history = scope.catalog.module(module), let table = history.table else { return }
        let moved = changes.compactMap { change -> Record? in
            guard let before = change.before, let count = before["Reschedule_Count"].integer, count > 0,
                change.after["Reschedule_Count"] != before["Reschedule_Count"]
            else { return nil }
            return before
        }
        guard !moved.isEmpty else { return }
        let rows = moved.map { appointment -> Record in
            var row = Record(history, id: scope.ids.next())
            row["Appointment_Name"] = .integer(appointment.id.raw)
            for name in copied { row[name] = appointment[name] }
            for name in ["Created_Time", "Modified_Time"] { row[name] = .integer(scope.now.milliseconds) }
            for name in ["Created_By", "Modified_By"] { row[name] = .integer(scope.access.user.raw) }
            return row
        }
        try scope.tx.insert(into: table, history.storedColumns.map(\.name), rows: rows.map(\.values))
        try dropOldest(of: moved.map(\.id), history, table, scope)
    }

    private static func dropOldest(of appointments: [RecordID], _ history: Module, _ table: TableName, _ scope: WriteScope) throws {
        guard let column = history.field("Appointment_Name")?.columns.first else { return }
        let listed = "\(.memberIDs("\(column)", appointments.map(\.raw)))" as SQL
        try scope.tx.execute(
            """
            DELETE FROM \(table) WHERE id IN (SELECT r.id FROM (SELECT id, row_number() OVER (PARTITION BY \(column) ORDER BY id DESC) AS place \
            FROM \(table) WHERE \(listed)) r WHERE r.place > \(.integer(Int64(limit))))
            """)
    }
}

/// Rows that callers add to the history themselves. Contract: appointments-rescheduled-history, 155 and 156.
struct RescheduleHistoryRule: RecordRule {
    private var moved: [Int64: Bool] = [:]
    /// How many rows an appointment had before, and how many of the batch come ahead of each new one.
    private var places: [RecordID: Int] = [:]

    init() {}

    func concerns(_ module: Module) -> Bool { module.apiName == RescheduleHistory.module }

    func prepared(for changes: [PendingChange], _ scope: WriteScope) throws -> any RecordRule {
        let added = changes.filter { $0.kind == .insert }
        let ids = Set(added.compactMap { $0.after["Appointment_Name"].integer }).sorted()
        guard !ids.isEmpty, let appointments = scope.catalog.module("Appointments__s"),
            let history = scope.catalog.module(RescheduleHistory.module), let table = history.table,
            let column = history.field("Appointment_Name")?.columns.first
        else { return self }
        var rule = self
        let system = Planner(scope.catalog, .system("whether an appointment was moved decides about its history"))
        // Locked, so that two calls do not pass the limit together.
        for (id, record) in try system.rows(ids.map(RecordID.init(raw:)), of: appointments, for: .edit, scope.tx).byID {
            rule.moved[id.raw] = (record["Reschedule_Count"].integer ?? 0) > 0
        }
        var counts: [Int64: Int] = [:]
        try scope.tx.forEach("SELECT \(column), count(*) FROM \(table) WHERE \(.memberIDs("\(column)", ids)) GROUP BY \(column)") { row in
            counts[row.integer(0) ?? 0] = Int(row.integer(1) ?? 0)
        }
        for change in added {
            let appointment = change.after["Appointment_Name"].integer ?? 0
            counts[appointment, default: 0] += 1
            rule.places[change.after.id] = counts[appointment]
        }
        return rule
    }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        if let before = change.before, let field = change.after.module.field("Appointment_Name") {
            change.after.set(field, to: Array(before.columns(of: field)))
        }
        try change.require("Reschedule_Reason", among: ["By Customer", "By Team"])
        if change.gave("Rescheduled_Time"), let time = change.after["Rescheduled_Time"].integer, time > scope.now.milliseconds {
            throw Rejection.invalid(at: change.path.appending("Rescheduled_Time"))
        }
        guard change.kind == .insert else { return }
        let path = change.path.appending("Appointment_Name")
        if change.after["Appointment_Name"].integer.flatMap({ moved[$0] }) != true {
            throw Rejection(.notAllowed, status: 403, .apiName("Appointment_Name"), .jsonPath(path))
        }
        if let place = places[change.after.id], place > RescheduleHistory.limit {
            throw Rejection(
                .inRequestLimitExceeded, .apiName("Appointment_Name"), .jsonPath(path), .other("limit", .integer(RescheduleHistory.limit)))
        }
    }
}
