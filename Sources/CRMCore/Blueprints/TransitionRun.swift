import Metadata
import SQLStore
import Wire

/// Takes a record along a transition of its process, in the caller's transaction. Contract: blueprint, 234.
package struct TransitionRun {
    package enum Outcome: Sendable {
        case done
        /// What was given is kept; something that must be given is missing yet.
        case savedPartially
    }

    private let module: Module
    private let records: RecordStore
    let scope: WriteScope

    package init(_ module: Module, _ scope: WriteScope, on id: RecordID) {
        self.module = module.whole
        self.scope = scope
        records = RecordStore(rules: BlueprintRule.rules(running: id))
    }

    /// `item` is the one element of the body.
    package func run(_ item: JSONCursor, on id: RecordID) throws -> Outcome {
        try scope.access.require(.edit, module)
        let rows = try Planner(scope.catalog, scope.access).rows([id], of: module, for: .edit, scope.tx)
        guard let record = rows[id] else { throw rows.refusal(of: id, else: .invalidPathID(1)) }
        try BlueprintState.refuse(record, scope.catalog, by: scope.access.user)
        try Conversions.refuseChange(of: record)
        guard let state = try BlueprintState.of(record, scope.catalog, scope.tx) else { throw BlueprintState.notInProcess }
        let transition = try chosen(item, state, record)
        let data = item.optional("data").flatMap { $0.value.isNull ? nil : $0 }
        let input = try TransitionInput(data, transition, module)
        let former = state.place.transition == transition.id ? state.place.saved : SavedInputs()
        let saved = input.added(to: former)
        let missing = transition.demands(saved, module).first { !$0.isMet }
        if let missing, input.isEmpty { throw Rejection.missing(missing.name, at: item.path.appending("data")) }
        try write(input, transition, record, at: data?.path ?? item.path.appending("data"))
        guard missing == nil else {
            var place = state.place
            place.transition = transition.id
            place.saved = saved
            try BlueprintRecords.set(place, of: id, scope.tx)
            return .savedPartially
        }
        try complete(transition, state, record, at: data?.path ?? item.path.appending("data"))
        return .done
    }

    private func chosen(_ item: JSONCursor, _ state: BlueprintState, _ record: Record) throws -> Transition {
        let given = try item.required("transition_id")
        let id = try given.recordID()
        guard let transition = state.transitions.first(where: { $0.id == id }), transition.kind == .manual else {
            throw Rejection.invalid(at: given.path, message: "invalid transition")
        }
        guard transition.mayBeTaken(by: scope.access.user, on: record, scope.catalog) else {
            throw Rejection(.noPermission, message: "Permission denied to update records", .apiName(given.name), .jsonPath(given.path))
        }
        guard try matches(transition.criteria, record) else {
            throw Rejection(
                .invalidData, message: "invalid transition", .apiName(given.name), .jsonPath(given.path),
                .other("info_message", .string(transition.criteriaMessage ?? "the record does not meet the criteria of the transition")))
        }
        return transition
    }

    /// Whether the record, as the database has it now, meets criteria.
    func matches(_ criteria: JSONValue, _ record: Record) throws -> Bool {
        guard !criteria.isNull, let table = module.table else { return true }
        let test = KeptCriteria.test(criteria, of: module, scope.catalog, for: scope.access.user, at: scope.now)
        return try scope.tx.first("SELECT 1 FROM \(table) t WHERE t.id = \(record.id) AND \(test)") { _ in true } ?? false
    }

    // MARK: What the caller gives

    private func write(_ input: TransitionInput, _ transition: Transition, _ record: Record, at path: JSONPath) throws {
        if !input.values.isEmpty {
            let item = JSONValue.object(input.values + [.init("id", .id(record.id))])
            for outcome in try records.update([JSONCursor(item, at: path)], module, scope) { _ = try outcome.get() }
            for demand in transition.fields where input.fields.contains(demand.field.raw) {
                guard try !matches(demand.criteria, record), let field = module.field(demand.field) else { continue }
                throw Rejection.invalid(at: path.appending(field.apiName), message: demand.message ?? "invalid data")
            }
        }
        if let note = input.note, let notes = scope.catalog.module("Notes") {
            let item: JSONValue = [
                "Note_Content": note.value,
                "Parent_Id": ["id": .id(record.id), "module": ["api_name": .string(module.apiName)]],
            ]
            for outcome in try records.insert([JSONCursor(item, at: note.path)], notes, scope) { _ = try outcome.get() }
        }
        guard !input.attachments.isEmpty, let attachments = scope.catalog.module("Attachments") else { return }
        let tokens = input.attachments.flatMap { attachment -> [String] in
            if case .files(let files) = attachment { files.map(\.token) } else { [] }
        }
        let uploaded = try FileValues.uploaded(tokens, scope.tx)
        for attachment in input.attachments {
            switch attachment {
            case .link(let url):
                let link = AttachmentStore.Ready.link(url: url, title: FileName(url).text)
                _ = try AttachmentStore.add(link, to: record.id, of: module, attachments, records, scope)
            case .files(let files):
                for (token, path) in files {
                    guard let file = uploaded[token] else {
                        throw Rejection.invalid(at: path, message: "the file id given seems to be invalid")
                    }
                    _ = try AttachmentStore.add(.file(file), to: record.id, of: module, attachments, records, scope)
                }
            }
        }
    }

    // MARK: What the process does

    /// Puts the record into the next state, and does what follows. The process may write what the caller may not; what cannot be written
    /// is told as if it had been given at `path`.
    func complete(_ transition: Transition, _ state: BlueprintState, _ record: Record, at path: JSONPath = JSONPath()) throws {
        let system = AccessPolicy.system("a transition writes its state and its actions", for: scope.access.user)
        let scope = WriteScope(
            tx: scope.tx, catalog: scope.catalog, access: system, origin: scope.origin, now: scope.now, group: scope.group, ids: scope.ids,
            feed: scope.feed)
        var item: JSONValue = ["id": .id(record.id), state.field.apiName: .string(transition.to)]
        for case .update(let id, let value) in transition.actions {
            guard let field = module.field(id) else { continue }
            item[field.apiName] = value
        }
        for outcome in try records.update([JSONCursor(item, at: path)], module, scope) { _ = try outcome.get() }
        for case .task(let task) in transition.actions { try add(task, to: record, scope) }
        var place = state.place
        place.since = scope.now
        place.transition = nil
        place.saved = SavedInputs()
        // Where nothing leads on the process is over.
        guard !state.blueprint.transitions(from: transition.to).isEmpty else {
            return try BlueprintRecords.remove([record.id], scope.tx)
        }
        try BlueprintRecords.set(place, of: record.id, scope.tx)
        var after = record
        after[state.field] = .text(transition.to)
        try BlueprintClock.set(state.blueprint, [after], scope)
    }

    private func add(_ task: JSONValue, to record: Record, _ scope: WriteScope) throws {
        guard let tasks = scope.catalog.module("Tasks") else { return }
        var item = task
        if item["Owner"] == nil { item["Owner"] = record["Owner"].integer.map { ["id": .string(String($0))] } ?? .null }
        item.point(at: record)
        for outcome in try records.insert([JSONCursor(item)], tasks, scope) { _ = try outcome.get() }
    }
}

extension JSONValue {
    /// Makes the values of a new activity say which record it is about.
    mutating func point(at record: Record) {
        let reference: JSONValue = ["id": .id(record.id)]
        switch record.module.apiName {
        case "Contacts": self["Who_Id"] = reference
        case "Notes", "Tasks", "Events", "Calls": break
        default:
            self["What_Id"] = reference
            self["$se_module"] = .string(record.module.apiName)
        }
    }
}
