import Metadata
import SQLStore
import Wire

/// Says that appointments are over when their time has passed: overdue, or completed where the preferences want the clock to say so.
/// Contract: appointments, 150. One job waits for the end of each appointment; when it moves meanwhile, the job finds nothing to do.
package struct AppointmentClock: JobHandler {
    package static let kind = "appointment_clock"

    package init() {}

    /// Has the clock look at the appointments when they end. One statement for all.
    static func set(_ appointments: [Record], _ scope: WriteScope) throws {
        let jobs = appointments.compactMap { appointment -> [SQLValue]? in
            guard let end = appointment["Appointment_End_Time"].integer else { return nil }
            let payload: JSONValue = ["appointment": .id(appointment.id), "user": .string(String(scope.access.user.raw))]
            return [
                .integer(scope.ids.next().raw), .text(kind), .text(payload.text), .text("waiting"), .integer(end),
                .integer(scope.now.milliseconds),
            ]
        }
        try scope.tx.insert(into: "sys_job", ["id", "kind", "payload", "state", "run_at", "created_at"], rows: jobs)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let catalog = services.catalog.current()
        guard let id = job.payload["appointment"]?.looseInt64.map(RecordID.init(raw:)), let module = catalog.module("Appointments__s")
        else {
            return
        }
        let user = UserID(raw: job.payload["user"]?.looseInt64 ?? 0)
        let access = AccessPolicy.system("the clock says that an appointment is over", for: user)
        try await services.write(catalog, access, .system, group: job.id) { scope in
            let planner = Planner(scope.catalog, scope.access)
            guard let appointment = try planner.rows([id], of: module, for: .edit, scope.tx)[id],
                appointment["Status"].text == "Scheduled", let end = appointment["Appointment_End_Time"].integer,
                end <= scope.now.milliseconds
            else { return }
            let completes = AppointmentPreferences(scope.catalog).ending == .clock
            do {
                try scope.tx.savepoint { try Self.turn(id, module, to: completes ? "Completed" : "Overdue", scope) }
            } catch let rejection as Rejection {
                // A deal that cannot be made leaves the appointment for a person to complete.
                guard completes, rejection.code != .recordLocked else { throw rejection }
                try Self.turn(id, module, to: "Overdue", scope)
            }
        }
    }

    private static func turn(_ id: RecordID, _ module: Module, to status: String, _ scope: WriteScope) throws {
        let rules = RecordRules.all.map { $0 is AppointmentRule ? AppointmentRule(byClock: true) : $0 }
        let item = JSONCursor(["id": .id(id), "Status": .string(status)])
        for outcome in try RecordStore(rules: rules).update([item], module, scope) { _ = try outcome.get() }
    }
}
