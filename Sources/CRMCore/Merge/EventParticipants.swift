import Metadata
import SQLStore
import Wire

/// Which records take part in which events. The invitations themselves are a structured value of the event; this table finds
/// the events of a record without reading them all.
enum EventParticipants {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_event_participant (record_id \(.type(.integer)) NOT NULL, event_id \(.type(.integer)) NOT NULL,
            PRIMARY KEY (record_id, event_id))\(.strict)
        """,
        "CREATE INDEX sys_event_participant_event ON sys_event_participant (event_id)",
    ]

    /// The ids of the events that invite a record, as a statement to stand inside another.
    static func events(of record: RecordID) -> SQL { "SELECT p.event_id FROM sys_event_participant p WHERE p.record_id = \(record)" }

    /// Brings the table in step with events that have other invitations than before.
    static func refresh(_ events: [Record], _ tx: Transaction) throws {
        guard !events.isEmpty else { return }
        try tx.execute("DELETE FROM sys_event_participant WHERE \(.memberIDs("event_id", events.map(\.id.raw)))")
        let rows = events.flatMap { event in
            Set(invitations(of: event).compactMap { $0["participant"]?.looseInt64 }).sorted().map {
                [SQLValue.integer($0), .integer(event.id.raw)]
            }
        }
        try tx.insert(into: "sys_event_participant", ["record_id", "event_id"], rows: rows)
    }

    /// Invites the heir in place of the leavers; who is invited twice stays once, with the answer if one was given
    /// (`merge.md` §6). `type` says what the heir is, where that changes. Returns how many events changed.
    static func follow(_ succession: Succession, named name: String, as type: String? = nil, _ scope: WriteScope) throws -> Int {
        let events = try events(of: succession, locked: true, scope)
        let changes = events.map { (before: $0, after: moved($0, succession, name, type)) }
        try write(changes, kind: .participantsMoved, scope)
        return changes.count
    }

    /// How many events `follow` would change; writes nothing.
    static func count(_ succession: Succession, _ scope: WriteScope) throws -> Int {
        try events(of: succession, locked: false, scope).count
    }

    /// Puts back the invitations that were moved, where they are still as they were left. Returns how many events changed.
    static func restore(_ moved: [(record: RecordID, before: JSONValue, after: JSONValue)], _ scope: WriteScope) throws -> Int {
        guard !moved.isEmpty, let module = scope.catalog.module("Events"), let field = module.field("Participants") else { return 0 }
        let rows = try system(scope).rows(moved.map(\.record), of: module, for: .edit, scope.tx)
        let key = String(field.id.raw)
        let changes = moved.compactMap { id, before, after -> (before: Record, after: Record)? in
            guard let now = rows[id], now[field].json == after[key] else { return nil }
            var former = now
            former[field] = SQLValue(before[key] ?? .null, as: .text)
            return (now, former)
        }
        try write(changes, kind: nil, scope)
        return changes.count
    }

    private static func events(of succession: Succession, locked: Bool, _ scope: WriteScope) throws -> [Record] {
        guard let module = scope.catalog.module("Events"), module.field("Participants") != nil else { return [] }
        let leavers = succession.leavers.map(\.id.raw)
        let ids = try scope.tx.rows(
            "SELECT DISTINCT event_id FROM sys_event_participant WHERE \(.memberIDs("record_id", leavers)) ORDER BY event_id"
        ) { RecordID(raw: $0.integer(0) ?? 0) }
        let rows = try system(scope).rows(ids, of: module, for: .edit, locked: locked, scope.tx)
        return ids.compactMap { rows[$0] }
    }

    /// Each event has an invitation list of its own, so each is written by itself.
    private static func write(_ changes: [(before: Record, after: Record)], kind: ChangeLog.Kind?, _ scope: WriteScope) throws {
        guard let table = changes.first?.after.module.table else { return }
        for change in changes { try RecordStore.update(change.after, from: change.before, table, scope) }
        if let kind { try ChangeLog.append(changes.map { .change(from: $0.before, to: $0.after, kind: kind) }, scope) }
        try refresh(changes.map(\.after), scope.tx)
    }

    private static func moved(_ event: Record, _ succession: Succession, _ name: String, _ type: String?) -> Record {
        let leavers = Set(succession.leavers.map(\.id.raw))
        let heir = succession.heir.id
        var united: [JSONValue] = []
        for invitation in invitations(of: event) {
            var invitation = invitation
            guard let id = invitation["participant"]?.looseInt64, id == heir.raw || leavers.contains(id) else {
                united.append(invitation)
                continue
            }
            if id != heir.raw {
                invitation["participant"] = .id(heir)
                if invitation["name"] != nil { invitation["name"] = .string(name) }
                if let type, invitation["type"] != nil { invitation["type"] = .string(type) }
            }
            if let same = united.firstIndex(where: { $0["participant"]?.looseInt64 == heir.raw }) {
                if !isAnswered(united[same]), isAnswered(invitation) { united[same] = invitation }
            } else {
                united.append(invitation)
            }
        }
        var after = event
        after["Participants"] = .text(JSONValue.array(united).text)
        return after
    }

    private static func isAnswered(_ invitation: JSONValue) -> Bool {
        guard let status = invitation["status"]?.string else { return false }
        return !status.isEmpty && status != "not_known"
    }

    private static func invitations(of event: Record) -> [JSONValue] {
        event["Participants"].text.flatMap { try? JSONValue.parse($0) }?.array ?? []
    }

    private static func system(_ scope: WriteScope) -> Planner {
        Planner(scope.catalog, .system("invitations follow whoever may see the event", for: scope.access.user))
    }
}

/// Keeps the table of participants in step with what is written.
struct EventParticipantRule: RecordRule {
    func concerns(_ module: Module) -> Bool { module.apiName == "Events" }

    func after(_ changes: [PendingChange], _ scope: WriteScope) throws {
        let changed = changes.filter { ($0.before?["Participants"] ?? .null) != $0.after["Participants"] }
        try EventParticipants.refresh(changed.map(\.after), scope.tx)
    }
}
