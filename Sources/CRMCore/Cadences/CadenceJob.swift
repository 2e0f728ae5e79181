import Metadata
import SQLStore
import Wire

/// Does the next step of an enrolment when its time has come. One job waits for each; when the record has left meanwhile, it finds
/// nothing to do. The step and the job of the one after it are one transaction, so that each is done once.
package struct CadenceJob: JobHandler {
    package static let kind = "cadence_step"

    package init() {}

    static func set(_ entries: [CadenceRecords.Entry], _ scope: WriteScope) throws {
        let jobs = entries.compactMap { entry -> [SQLValue]? in
            guard let due = entry.due else { return nil }
            let payload: JSONValue = [
                "cadence": .id(entry.cadence), "record": .id(entry.record), "step": .integer(entry.step),
                "enrolled": .integer(entry.at.milliseconds),
            ]
            return [.integer(scope.ids.next().raw), .text(kind), .text(payload.text), .text("waiting"), .init(due), .init(scope.now)]
        }
        try scope.tx.insert(into: "sys_job", ["id", "kind", "payload", "state", "run_at", "created_at"], rows: jobs)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let catalog = services.catalog.current()
        let id = RecordID(raw: job.payload["record"]?.looseInt64 ?? 0)
        guard let cadence = Cadence.all(catalog).first(where: { $0.id.raw == job.payload["cadence"]?.looseInt64 }),
            let module = catalog.module(id: cadence.module)
        else { return }
        let access = AccessPolicy.system("a cadence does its steps")
        try await services.write(catalog, access, .system, group: job.id) { scope in
            // The record first, as every writer locks.
            let rows = try Planner(scope.catalog, scope.access).rows([id], of: module, for: .edit, scope.tx)
            guard let entry = try CadenceRecords.one(id, in: cadence.id, scope.tx), entry.isRunning,
                entry.step == job.payload["step"]?.int64, entry.at.milliseconds == job.payload["enrolled"]?.int64
            else { return }
            guard let record = rows[id] else {
                // In the recycle bin the enrolment ends; when the record is back, it may be enrolled anew.
                var ended = entry
                ended.due = nil
                return try CadenceRecords.set(ended, scope.tx)
            }
            if record.heldByMerge != nil { throw Rejection(.recordLocked, .id(id)) }
            try CadenceRun(cadence, record, entry, services, scope).run()
        }
    }
}

/// One step of one record.
struct CadenceRun {
    private let cadence: Cadence
    private let record: Record
    private let entry: CadenceRecords.Entry
    private let services: Services
    private let scope: WriteScope

    init(_ cadence: Cadence, _ record: Record, _ entry: CadenceRecords.Entry, _ services: Services, _ scope: WriteScope) {
        self.cadence = cadence
        self.record = record
        self.entry = entry
        self.services = services
        let access = AccessPolicy.system("a cadence does its steps", for: entry.by)
        self.scope = WriteScope(
            tx: scope.tx, catalog: scope.catalog, access: access, origin: scope.origin, now: scope.now, group: scope.group, ids: scope.ids,
            feed: scope.feed)
    }

    func run() throws {
        guard try !isOver() else { return try CadenceRecords.remove([record.id], from: [cadence.id], scope.tx) }
        var next = entry
        if cadence.isActive, let step = cadence.steps[safe: Int(entry.step)] {
            // What is refused is left out, and the enrolment tells of it.
            do { try scope.tx.savepoint { try carryOut(step.followUp) } } catch let refusal as Rejection {
                next.refuse(refusal, at: scope.now)
            }
        }
        next.step += 1
        next.due = cadence.steps[safe: Int(next.step)].map { $0.delay.after(scope.now) }
        try CadenceRecords.set(next, scope.tx)
        try CadenceJob.set([next], scope)
    }

    /// Whether the record is un-enrolled before the step.
    private func isOver() throws -> Bool {
        if record.isConverted { return true }
        if let end = cadence.endDate, let today = scope.now.date(offsetMinutes: scope.catalog.zone.offsetMinutes(at: scope.now)),
            today > end
        {
            return true
        }
        guard !cadence.unenrolCriteria.isNull, let table = record.module.table else { return false }
        let test = KeptCriteria.test(cadence.unenrolCriteria, of: record.module, scope.catalog, for: entry.by, at: scope.now)
        return try scope.tx.first("SELECT 1 FROM \(table) t WHERE t.id = \(record.id) AND \(test)") { _ in true } ?? false
    }

    private func carryOut(_ followUp: Cadence.FollowUp) throws {
        switch followUp {
        case .task(let values): try add(values, "Tasks")
        case .call(let values): try add(Self.call(values, at: scope.now, scope.catalog), "Calls")
        case .email(let subject, let content, let template): try send(subject, content, template)
        }
    }

    /// A mail of the record, from whoever enrolled it. Who wants none, or takes none, is refused as in any mail.
    private func send(_ subject: String?, _ content: String?, _ template: RecordID?) throws {
        guard let address = PortalUserType.address(of: record.module).flatMap({ record[$0].text }).flatMap({ MailAddress($0) }) else {
            throw Rejection(.notAllowed, message: "the record has no mail address", .id(record.id))
        }
        guard let user = scope.catalog.user(entry.by), let sender = MailAddress(user.email) else {
            throw Rejection(.notAllowed, message: "whoever enrolled the record has no mail address", .id(record.id))
        }
        var order = EmailOrder(from: Mailbox(user.fullName, sender), to: [Mailbox(nil, address)], origin: cadence.origin, path: JSONPath())
        (order.subject, order.content, order.template) = (subject, content, template)
        order.format = .text
        _ = try EmailDesk(record.id, of: record.module, services, scope).send(order)
    }

    private func add(_ values: JSONValue, _ name: String) throws {
        guard let module = scope.catalog.module(name) else { return }
        var item = values
        if item["Owner"] == nil, let owner = record["Owner"].integer { item["Owner"] = ["id": .string(String(owner))] }
        item.point(at: record)
        for outcome in try services.records.insert([JSONCursor(item)], module, scope) { _ = try outcome.get() }
    }

    /// A call needs a type, a time and a length; a quarter of an hour, until somebody has made it. It is still to be made: only a
    /// scheduled call is among the open ones of a record.
    static func call(_ values: JSONValue, at now: Instant, _ catalog: Catalog) -> JSONValue {
        var values = values
        if values["Call_Type"] == nil { values["Call_Type"] = "Outbound" }
        if values["Outgoing_Call_Status"] == nil, values["Call_Type"] == "Outbound" { values["Outgoing_Call_Status"] = "Scheduled" }
        if values["Call_Duration"] == nil { values["Call_Duration"] = "15:00" }
        if values["Call_Start_Time"] == nil {
            values["Call_Start_Time"] = .string(now.iso(offsetMinutes: catalog.zone.offsetMinutes(at: now)))
        }
        return values
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
