import Metadata
import SQLStore
import Wire

/// An appointment books a service with one of its members, at a time the service is offered, and then takes place, moves, or is
/// called off. Contract: appointments, 149 and 150.
struct AppointmentRule: RecordRule {
    static let statuses = ["Scheduled", "Overdue", "Completed", "Cancelled"]
    static let locations = ["Client Address", "Business Address"]
    private static let reasons = ["By Customer", "By Team"]
    /// Besides modules made by the organisation (appointments, 149).
    private static let customers: Set<String> = ["Contacts", "Leads", "Accounts", "Deals"]

    /// Whether the clock itself writes, which may say that an appointment is over.
    var byClock = false
    private var services: [RecordID: BookedService] = [:]

    init(byClock: Bool = false) { self.byClock = byClock }

    func concerns(_ module: Module) -> Bool { module.apiName == "Appointments__s" }

    func prepared(for changes: [PendingChange], _ scope: WriteScope) throws -> any RecordRule {
        var rule = self
        rule.services = try BookedService.of(changes, scope)
        return rule
    }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        try keepService(&change)
        try change.require("Status", among: Self.statuses)
        try change.require("Location", among: Self.locations)
        for name in ["Reschedule_Reason", "Cancellation_Reason"] { try change.require(name, among: Self.reasons) }
        if change.gave("Remind_At") { try Reminders.check(change, "Remind_At", periods: ["minutes", "hours", "days"], units: 0...100) }
        try refuseWhenOver(change)
        try booking(&change, scope)
        try reschedule(&change, scope)
        try status(&change, scope)
        try cancellation(&change, scope)
        try jobSheet(&change, scope)
    }

    private func service(_ record: Record) -> BookedService? {
        record["Service_Name"].integer.flatMap { services[RecordID(raw: $0)] }
    }

    /// The service of an appointment stays (appointments, 150).
    private func keepService(_ change: inout PendingChange) throws(Rejection) {
        if change.after["Appointment_Name"].isNull { throw .missing("Appointment_Name", at: change.path) }
        guard let before = change.before, let field = change.after.module.field("Service_Name") else { return }
        change.after.set(field, to: Array(before.columns(of: field)))
    }

    /// A completed or cancelled appointment neither moves nor takes another status.
    private func refuseWhenOver(_ change: PendingChange) throws(Rejection) {
        guard let before = change.before, let status = before["Status"].text, ["Completed", "Cancelled"].contains(status) else { return }
        for name in ["Appointment_Start_Time", "Status"] where change.gave(name) && change.after[name] != before[name] {
            throw Rejection(.notAllowed, status: 403, .apiName(name), .jsonPath(change.path.appending(name)))
        }
    }

    // MARK: what is booked

    private func booking(_ change: inout PendingChange, _ scope: WriteScope) throws {
        let path = change.path
        if let field = change.after.module.field("Appointment_For"), change.gave("Appointment_For"),
            let target = change.after.target(of: field), let module = scope.catalog.module(id: target.module),
            module.generatedType != "custom", !Self.customers.contains(module.apiName)
        {
            throw Rejection.invalid(at: path.appending("Appointment_For").appending("module"))
        }
        guard let service = service(change.after) else { return }
        if change.kind == .insert, !service.inUse { throw Rejection.invalid(at: path.appending("Service_Name")) }
        let booked = change.kind == .insert
        if booked || change.gave("Owner"), let owner = change.after["Owner"].integer, !service.members.contains(owner) {
            throw Rejection.invalid(at: path.appending("Owner"))
        }
        if booked || change.gave("Location"), let location = change.after["Location"].text {
            guard service.takes(location) else { throw Rejection.invalid(at: path.appending("Location")) }
        }
        if booked || change.gave("Location") || change.gave("Address"), change.after["Location"].text == "Client Address",
            change.after["Address"].isNull
        {
            throw Rejection.missing("Address", at: path)
        }
        guard
            booked
                || (change.gave("Appointment_Start_Time")
                    && change.after["Appointment_Start_Time"] != change.before?["Appointment_Start_Time"])
        else { return }
        try time(&change, service, scope)
    }

    private func time(_ change: inout PendingChange, _ service: BookedService, _ scope: WriteScope) throws {
        guard let begin = change.after["Appointment_Start_Time"].integer else { return }
        let (start, end) = (Instant(milliseconds: begin), Instant(milliseconds: begin + service.duration * 60_000))
        change.after["Duration"] = .integer(service.duration)
        change.after["Appointment_End_Time"] = .integer(end.milliseconds)
        let preferences = AppointmentPreferences(scope.catalog)
        let zone = scope.catalog.zone
        let fits =
            preferences.outsideAvailability
            ? preferences.outsideBusinessHours || ServiceHours.works(start, end, zone, WorkingHours(scope.catalog))
            : service.offers(start, end, zone)
        // Whoever works in shifts is booked in them; where hours outside of those of the service are allowed, so are these.
        let owner = UserID(raw: change.after["Owner"].integer ?? 0)
        let shift = preferences.outsideAvailability ? nil : ShiftHours.of(owner, at: start, scope.catalog)
        guard fits, shift?.covers(start, end, scope.catalog) ?? true else {
            throw Rejection.invalid(at: change.path.appending("Appointment_Start_Time"))
        }
    }

    // MARK: when it moves

    private func reschedule(_ change: inout PendingChange, _ scope: WriteScope) throws(Rejection) {
        let path = change.path
        let given = ["Rescheduled_From", "Reschedule_Reason", "Reschedule_Note"].filter { change.gave($0) && !change.after[$0].isNull }
        guard let before = change.before else {
            guard !given.isEmpty else { return }
            guard let from = change.after["Rescheduled_From"].integer else { throw .dependent("Rescheduled_From", on: given[0], at: path) }
            try checkFrom(from, change)
            return note(&change, from: .integer(from), count: 1, scope)
        }
        if change.gave("Appointment_Start_Time") {
            if change.after["Appointment_Start_Time"] == before["Appointment_Start_Time"] {
                let name = "Appointment_Start_Time"
                throw Rejection(.dependentFieldUnchanged, .apiName(name), .jsonPath(path.appending(name)))
            }
            if change.gave("Rescheduled_From"), let from = change.after["Rescheduled_From"].integer { try checkFrom(from, change) }
            let from = change.gave("Rescheduled_From") && !change.after["Rescheduled_From"].isNull
            for name in ["Reschedule_Reason", "Reschedule_Note"] where !change.gave(name) { change.after[name] = .null }
            note(
                &change, from: from ? change.after["Rescheduled_From"] : before["Appointment_Start_Time"],
                count: (before["Reschedule_Count"].integer ?? 0) + 1, scope)
            return
        }
        // What a move was for may be said later, when there was one.
        let later = given.contains("Rescheduled_From") || (before["Reschedule_Count"].integer ?? 0) == 0
        if !given.isEmpty, later { throw .dependent("Appointment_Start_Time", on: given[0], at: path) }
    }

    private func checkFrom(_ from: Int64, _ change: PendingChange) throws(Rejection) {
        guard let start = change.after["Appointment_Start_Time"].integer, from >= start else { return }
        throw .invalid(at: change.path.appending("Rescheduled_From"))
    }

    private func note(_ change: inout PendingChange, from: SQLValue, count: Int64, _ scope: WriteScope) {
        change.after["Rescheduled_From"] = from
        change.after["Rescheduled_To"] = change.after["Appointment_Start_Time"]
        if change.kind == .update || change.after["Rescheduled_Time"].isNull {
            change.after["Rescheduled_Time"] = .integer(scope.now.milliseconds)
        }
        if change.kind == .update || change.after["Rescheduled_By"].isNull {
            change.after["Rescheduled_By"] = .integer(scope.access.user.raw)
        }
        if change.after["Reschedule_Reason"].isNull { change.after["Reschedule_Reason"] = .text("By Customer") }
        change.after["Reschedule_Count"] = .integer(count)
    }

    // MARK: what becomes of it

    private func status(_ change: inout PendingChange, _ scope: WriteScope) throws(Rejection) {
        let moved = change.before.map { $0["Appointment_Start_Time"] != change.after["Appointment_Start_Time"] } ?? true
        if change.after["Status"].isNull || (moved && !change.gave("Status") && change.kind == .update) {
            change.after["Status"] = .text("Scheduled")
        }
        let (start, end) = (change.after["Appointment_Start_Time"].integer ?? 0, change.after["Appointment_End_Time"].integer ?? 0)
        let now = scope.now.milliseconds
        let turned = change.before?["Status"] != change.after["Status"]
        switch change.after["Status"].text {
        case "Scheduled":
            if moved || turned, start < now { throw .mismatch("Appointment_Start_Time", with: "Status", at: change.path) }
        case "Completed", "Overdue":
            guard turned || moved else { return }
            if end > now { throw .mismatch("Status", with: "Appointment_Start_Time", at: change.path) }
            let automatic = AppointmentPreferences(scope.catalog).ending == .clock
            if change.after["Status"].text == "Completed", change.kind == .update, automatic, !byClock {
                throw Rejection(.notAllowed, status: 403, .apiName("Status"), .jsonPath(change.path.appending("Status")))
            }
        default: break
        }
    }

    private func cancellation(_ change: inout PendingChange, _ scope: WriteScope) throws(Rejection) {
        let given = ["Cancellation_Reason", "Cancellation_Note"].filter { change.gave($0) && !change.after[$0].isNull }
        guard change.after["Status"].text == "Cancelled" else {
            guard let first = given.first else { return }
            if change.gave("Status") { throw .mismatch("Status", with: first, at: change.path) }
            throw .dependent("Status", on: first, at: change.path)
        }
        guard change.before?["Status"].text != "Cancelled" else { return }
        change.after["Cancelled_Time"] = .integer(scope.now.milliseconds)
        change.after["Cancelled_By"] = .integer(scope.access.user.raw)
        if change.after["Cancellation_Reason"].isNull { change.after["Cancellation_Reason"] = .text("By Customer") }
    }

    private func jobSheet(_ change: inout PendingChange, _ scope: WriteScope) throws(Rejection) {
        let completed = change.after["Status"].text == "Completed" && change.before?["Status"].text != "Completed"
        if completed, !byClock, AppointmentPreferences(scope.catalog).jobSheet {
            for name in ["Job_Sheet_Name__s", "Job_Sheet_Description__s"] where change.after[name].isNull {
                throw .missing(name == "Job_Sheet_Name__s" ? "Job_Sheet_Name" : name, at: change.path)
            }
        }
        let filled = !change.after["Job_Sheet_Name__s"].isNull
        change.after["Job_Sheet_Created__s"] = .integer(filled ? 1 : 0)
        if filled, change.after["Job_Sheet_Section__s"].isNull, let service = service(change.after) {
            change.after["Job_Sheet_Section__s"] = service.record["Job_Sheet_Section__s"]
        }
    }

    // MARK: what follows

    func after(_ changes: [PendingChange], _ scope: WriteScope) throws {
        try RescheduleHistory.keep(changes, scope)
        let timed = changes.filter { change in
            change.after["Status"].text == "Scheduled" && change.before?["Appointment_End_Time"] != change.after["Appointment_End_Time"]
        }
        try AppointmentClock.set(timed.map(\.after), scope)
        let completed = changes.filter { $0.after["Status"].text == "Completed" && $0.before?["Status"].text != "Completed" }.map(\.after)
        try CompletedDeal.make(completed, services: services.mapValues(\.record), scope)
    }
}
