import Metadata
import SQLStore
import Wire

/// Gives records that have just been written to the owners their rule finds, as a change of its own in the rule's name. The rights of
/// whoever writes do not matter: the rule is the organisation's. Contract: records, 125, 126 and 128; timeline, 134.
package struct RecordAssignment {
    private let rule: AssignmentRule
    private let store: RecordStore
    private let scope: WriteScope

    package init(_ rule: AssignmentRule, _ store: RecordStore, _ scope: WriteScope) {
        self.rule = rule
        self.store = store
        self.scope = scope.acting(as: .assignmentRules, by: rule.mark, "assignment rules choose owners for everybody")
    }

    /// The records as they are afterwards. What is locked stays with its owner.
    @discardableResult
    package func apply(to records: [Record]) throws -> [Record] {
        guard let module = records.first?.module, module.id == rule.module else { return records }
        let owners = try owners(of: records.map(\.id), module)
        let changing = records.filter { record in owners[record.id].map { record["Owner"] != .integer($0.raw) } ?? false }
        guard !changing.isEmpty else { return records }
        let items = changing.map { record -> JSONCursor in
            let owner = String(owners[record.id]?.raw ?? 0)
            return JSONCursor(["id": .id(record.id), "Owner": ["id": .string(owner)]], at: JSONPath())
        }
        var written: [RecordID: Record] = [:]
        for (record, outcome) in zip(changing, try store.update(items, module, as: .changeOwner, scope)) {
            written[record.id] = try? outcome.get()
        }
        return records.map { written[$0.id] ?? $0 }
    }

    /// Whom each record goes to; nobody where no entry is met and there is no default.
    private func owners(of ids: [RecordID], _ module: Module) throws -> [RecordID: UserID] {
        let matches = try RuleTests(module, rule.entries.map { ($0, $0.criteria) }, scope).matches(ids)
        var byEntry: [RecordID: [RecordID]] = [:]
        for id in ids { if let entry = matches[id]?.first { byEntry[entry.id, default: []].append(id) } }
        var owners: [RecordID: UserID] = [:]
        // In ascending order, as all locks are taken.
        for entry in rule.entries.sorted(by: { $0.id < $1.id }) {
            guard let meeting = byEntry[entry.id] else { continue }
            let people = try people(of: entry)
            for (id, owner) in zip(meeting, try AssignmentTurns.take(meeting.count, of: people, entry.id, scope.tx)) { owners[id] = owner }
        }
        if let fallback = rule.defaultAssignee.flatMap(scope.catalog.user), fallback.active {
            for id in ids where owners[id] == nil { owners[id] = fallback.id }
        }
        return owners
    }

    /// Those of an entry who can be given work now.
    private func people(of entry: AssignmentRule.Entry) throws -> [UserID] {
        let active = entry.people.members(scope.catalog).filter { scope.catalog.user($0)?.active ?? false }
        guard entry.skipsUnavailable, !active.isEmpty else { return Array(active) }
        return Array(active.subtracting(try Unavailability.away(among: active, at: scope.now, scope.tx)))
    }
}
