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
        let records = services.records
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
            try CadenceRun(cadence, record, entry, records, scope).run()
        }
    }
}

/// One step of one record.
struct CadenceRun {
    private let cadence: Cadence
    private let record: Record
    private let entry: CadenceRecords.Entry
    private let records: RecordStore
    private let scope: WriteScope

    init(_ cadence: Cadence, _ record: Record, _ entry: CadenceRecords.Entry, _ records: RecordStore, _ scope: WriteScope) {
        self.cadence = cadence
        self.record = record
        self.entry = entry
        self.records = records
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
        case .email(let subject, let content):
            let address = try receiver()
            try Outbox.add([Mail(to: address, subject: filled(subject), text: filled(content))], scope)
        }
    }

    /// The record's address, when it has one that wants mails and takes them.
    private func receiver() throws -> MailAddress {
        guard let address = PortalUserType.address(of: record.module).flatMap({ record[$0].text }).flatMap({ MailAddress($0) }) else {
            throw Rejection(.notAllowed, message: "the record has no mail address", .id(record.id))
        }
        if record["Email_Opt_Out"].integer == 1 {
            throw Rejection(.notAllowed, message: "the receiver has opted out of mails", .id(record.id))
        }
        if try BlockedAddresses.entries([address], scope.tx).values.contains(where: \.isBlocked) {
            throw Rejection(.notAllowed, message: "mails to the address came back, it is blocked", .id(record.id))
        }
        return address
    }

    private func add(_ values: JSONValue, _ name: String) throws {
        guard let module = scope.catalog.module(name) else { return }
        var item = values
        if item["Owner"] == nil, let owner = record["Owner"].integer { item["Owner"] = ["id": .string(String(owner))] }
        item.point(at: record)
        for outcome in try records.insert([JSONCursor(item)], module, scope) { _ = try outcome.get() }
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

    /// `${Leads.Last_Name}` stands for the record's value; other names for nothing.
    private func filled(_ text: String) -> String {
        var filled = ""
        var rest = Substring(text)
        while let start = rest.firstRange(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
            filled += rest[..<start.lowerBound]
            let name = rest[start.upperBound..<end].split(separator: ".")
            if name.count == 2, name[0].drop(while: { $0 == "!" }) == record.module.apiName, let field = record.module.field(name[1]) {
                let value = record[field]
                filled += value.text ?? value.json.text.replacing("null", with: "")
            }
            rest = rest[rest.index(after: end)...]
        }
        return filled + rest
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
