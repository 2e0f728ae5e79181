import Metadata
import SQLStore
import Wire

/// Whom an event invites must be somebody; when it repeats and reminds must be readable. Contract: records, section notes.
struct EventRule: RecordRule {
    private static let types = ["user", "contact", "lead", "email"]
    /// The modules behind two of the types.
    private static let modules = ["contact": "Contacts", "lead": "Leads"]

    private struct Person { let name: String, email: String? }
    private var people: [Int64: Person] = [:]

    init() {}

    func concerns(_ module: Module) -> Bool { module.apiName == "Events" }

    /// The contacts and leads invited: a statement for each module.
    func prepared(for changes: [PendingChange], _ scope: WriteScope) throws -> any RecordRule {
        let invited = changes.filter { $0.gave("Participants") }.flatMap { $0.after.list("Participants") }
        var rule = self
        for (type, name) in Self.modules.sorted(by: { $0.key < $1.key }) {
            let ids = Set(invited.filter { $0["type"]?.string == type }.compactMap { $0["participant"]?.looseInt64 }).sorted()
            guard let module = scope.catalog.module(name), !ids.isEmpty else { continue }
            let found = try Planner(scope.catalog, scope.access).rows(
                ids.map(RecordID.init(raw:)), of: module, for: .view, locked: false, scope.tx)
            for record in found.values { rule.people[record.id.raw] = Person(name: record.displayName, email: record["Email"].text) }
        }
        return rule
    }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        if change.gave("Start_DateTime") || change.gave("End_DateTime"), let start = change.after["Start_DateTime"].integer,
            let end = change.after["End_DateTime"].integer, end < start
        {
            throw Rejection.invalid(at: change.path.appending("End_DateTime"))
        }
        for name in ["Remind_At", "Remind_Participants"] where change.gave(name) {
            try Reminders.check(change, name, periods: Reminders.periods, units: 0...9_999)
        }
        if change.gave("Recurring_Activity") { try Recurrence.check(change, "Recurring_Activity") }
        if change.gave("Participants") { try invite(&change, scope.catalog) }
    }

    private func invite(_ change: inout PendingChange, _ catalog: Catalog) throws(Rejection) {
        let path = change.path.appending("Participants")
        var kept: [JSONValue] = []
        var seen: Set<String> = []
        for (index, given) in change.after.list("Participants").enumerated() {
            let invitation = try complete(JSONCursor(given, at: path.appending(index)), catalog)
            if seen.insert(invitation["participant"]?.string?.lowercased() ?? "").inserted { kept.append(invitation) }
        }
        change.after["Participants"] = kept.isEmpty ? .null : .text(JSONValue.array(kept).text)
    }

    /// The stored form: who it is, by which name and address, and whether there was an answer.
    private func complete(_ input: JSONCursor, _ catalog: Catalog) throws(Rejection) -> JSONValue {
        let type = try input.required("type")
        guard let kind = type.value.string, Self.types.contains(kind) else { throw .unsupported(Self.types, at: type.path) }
        let who = try input.required("participant")
        var invitation: JSONValue = ["participant": .null, "type": .string(kind)]
        var (name, email) = (input.value["name"]?.string, input.value["Email"]?.string)
        if kind == "email" {
            guard let address = who.value.string, address.isEmailAddress else { throw .wrongType("email", at: who.path) }
            invitation["participant"] = .string(address)
            email = address
        } else {
            guard let id = who.value.looseInt64 else { throw .wrongType("bigint", at: who.path) }
            let person =
                kind == "user"
                ? catalog.user(UserID(raw: id)).flatMap { $0.active ? Person(name: $0.fullName, email: $0.email) : nil } : people[id]
            guard let person else { throw .invalid(at: who.path, message: "the related id given seems to be invalid") }
            invitation["participant"] = .string(String(id))
            (name, email) = (person.name, person.email)
        }
        for (key, value) in [("name", name), ("Email", email)] { invitation[key] = value.map(JSONValue.string) ?? .null }
        invitation["invited"] = .bool(input.value["invited"]?.bool ?? false)
        invitation["status"] = .string(input.value["status"]?.string ?? "not_known")
        return invitation
    }
}

/// Tasks remind with an alarm, and repeat as events do.
struct TaskRule: RecordRule {
    func concerns(_ module: Module) -> Bool { module.apiName == "Tasks" }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        if change.gave("Recurring_Activity") { try Recurrence.check(change, "Recurring_Activity") }
        if change.gave("Remind_At") { try Alarm.check(change, "Remind_At") }
    }
}
