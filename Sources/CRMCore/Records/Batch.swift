import Metadata
import SQLStore
import Wire

/// The items of one write between decoding and the tables. Refused ones drop out and keep their refusal.
struct Batch {
    let module: Module
    private var items: DecodedItems
    private let scope: WriteScope

    init(_ module: Module, _ scope: WriteScope) {
        self.module = module
        self.scope = scope
        items = DecodedItems()
    }

    init(_ drafts: RecordDrafts, _ scope: WriteScope) {
        module = drafts.module
        self.scope = scope
        items = drafts.items
    }

    /// What is still to be written, in the order of the items. No record is among them twice.
    var changes: [PendingChange] { items.changes }

    /// The same, each with the number of its item.
    var numbered: Zip2Sequence<[Int], [PendingChange]> { zip(items.numbers, items.changes) }

    mutating func decode(_ index: Int, _ body: () throws(Rejection) -> (PendingChange, [RecordDecoder.Reference])) {
        items.add(index, body)
    }

    /// Runs `body` on each pending change; a refusal drops it.
    mutating func forEach(_ body: (inout PendingChange) throws -> Void) throws { try forEachIndexed { try body(&$1) } }

    /// The same, with the number of the item.
    mutating func forEachIndexed(_ body: (Int, inout PendingChange) throws -> Void) throws {
        var refused: [Int: Rejection] = [:]
        for position in items.changes.indices {
            // In place: a copy of a record costs more than most rules do.
            do {
                try body(items.numbers[position], &items.changes[position])
            } catch let rejection as Rejection {
                refused[items.numbers[position]] = rejection
            }
        }
        items.drop(refused)
    }

    /// In the order of the items; each is either pending still or refused.
    func outcomes(_ count: Int) -> [RecordStore.Outcome] {
        var outcomes = [RecordStore.Outcome](repeating: .failure(Rejection(.internalError)), count: count)
        for (index, rejection) in items.refused { outcomes[index] = .failure(rejection) }
        for (index, change) in numbered { outcomes[index] = .success(change.after) }
        return outcomes
    }

    /// What lookups point at must be there, and satisfy the filter that the lookup may have.
    mutating func refuseReferences() throws {
        try refuseMissingReferences()
        try refuseFilteredReferences()
    }

    /// One statement for each module looked into, however many items there are. A record that the caller does not see is as unknown
    /// as one that is not there, unless the row pointed at it already.
    private mutating func refuseMissingReferences() throws {
        guard items.references.contains(where: { !$0.isEmpty }) else { return }
        let found = try HeldReferences(items.references.joined().map { ($0.module, $0.id.raw) }).hold(scope)
        let hidden = try hiddenReferences()
        let catalog = scope.catalog
        drop { change, references in
            for reference in references {
                let kept = change.before?[reference.field].integer == reference.id.raw
                guard let held = found[reference.id], kept || !hidden.unseen.contains(reference.id) else {
                    return .invalid(at: reference.path, message: "the related id given seems to be invalid")
                }
                guard reference.field == "Parent_Id" else { continue }
                if !kept, hidden.unchangeable.contains(reference.id), let module = catalog.module(id: reference.module) {
                    return AccessPolicy.refusal(.edit, on: reference.id, of: module)
                }
                // Notes and files are part of their record, which nobody may change while it is under merge (`merge.md` §8) or
                // once it is converted.
                if held.isUnderMerge { return Rejection(.recordLocked, .id(reference.id)) }
                if held.isConverted { return Conversions.changed(reference.id) }
            }
            return nil
        }
    }

    private mutating func refuseFilteredReferences() throws {
        let filters = LookupFilters(module)
        let values = changes.flatMap { filters.values(of: $0) }
        guard !values.isEmpty else { return }
        let refused = try LookupFilters.refused(values, scope)
        drop { change, _ in
            let wrong = filters.values(of: change).first { refused[$0.field.id]?.contains($0.id) ?? false }
            guard let wrong else { return nil }
            return Rejection(
                .filterCriteriaNotSatisfied, .apiName(wrong.field.apiName), .jsonPath(change.path.appending(wrong.field.apiName)))
        }
    }

    /// The records pointed at that the caller does not see, and those that may not get notes and files.
    private func hiddenReferences() throws -> (unseen: Set<RecordID>, unchangeable: Set<RecordID>) {
        var unseen: Set<RecordID> = []
        var unchangeable: Set<RecordID> = []
        for (moduleID, references) in Dictionary(grouping: items.references.joined(), by: \.module) {
            guard let module = scope.catalog.module(id: moduleID) else { continue }
            let ids = Set(references.map(\.id))
            unseen.formUnion(ids.subtracting(try scope.access.rows(ids, of: module, for: .view, scope.tx)))
            let parents = Set(references.filter { $0.field == "Parent_Id" }.map(\.id))
            unchangeable.formUnion(parents.subtracting(try scope.access.rows(parents, of: module, for: .edit, scope.tx)))
        }
        return (unseen, unchangeable)
    }

    /// Two statements for all file fields of the batch.
    mutating func resolveFiles() throws {
        let changes = changes.filter { !$0.files.isEmpty }
        guard !changes.isEmpty else { return }
        let known = try FileValues.Known(changes, scope.tx)
        try forEach { change in
            change.resolvedFiles = try change.files.map { edits in
                try edits.resolve(known.held[change.after.id]?[edits.field.id] ?? [], known.uploaded)
            }
        }
    }

    /// The friendly check before the unique index: names the record that has the value, and finds repeats inside the batch.
    mutating func refuseTakenValues() throws {
        var clashes: [RecordID: [Rejection]] = [:]
        for field in module.fields where field.unique && (field.isPerUser || !field.columns.isEmpty) {
            let changed = changes.filter { $0.newValue(of: field) != nil }
            guard !changed.isEmpty else { continue }
            let holders = try UniqueValues.compared(field, module, scope.catalog, for: scope.access.user).holders(
                of: changed.compactMap { $0.newValue(of: field) }, scope.tx)
            let visible = try scope.access.rows(Set(holders.values.joined().map(\.id)), of: module, for: .view, scope.tx)
            var seen: [SQLValue: RecordID] = [:]
            for change in changed {
                let key = UniqueValues.key(change.newValue(of: field) ?? .null)
                let others = (holders[key] ?? []).filter { $0.id != change.after.id }
                let path = change.path.appending(field.apiName)
                if !others.isEmpty {
                    // A value that a record hidden from the caller holds is taken too; the caller does not learn by which.
                    let shown = others.filter { visible.contains($0.id) }
                    let refusal = shown.first?.clash(field, module, more: shown.count > 1, at: path, scope.catalog)
                    clashes[change.after.id, default: []].append(refusal ?? .duplicate(at: path))
                } else if seen[key] != nil {
                    clashes[change.after.id, default: []].append(.duplicate(at: path))
                } else {
                    seen[key] = change.after.id
                }
            }
        }
        guard !clashes.isEmpty else { return }
        drop { change, _ in
            guard let errors = clashes[change.after.id], let first = errors.first else { return nil }
            if errors.count == 1 { return first }
            return Rejection(
                .multipleOrMultiErrors, message: "Multiple errors in the request", .other("errors", .array(errors.map(\.result))))
        }
    }

    /// Values that records of another module hold, where the organisation wants them compared (`duplicates.md`, A3). One
    /// statement for each mapped field.
    mutating func refuseValuesTakenElsewhere() throws {
        guard let check = DuplicateCheck(module, scope.catalog), let target = check.target else { return }
        for mapping in check.mappings {
            let changed = changes.filter { change in
                change.before.map { $0[mapping.current] } != change.after[mapping.current] && !change.after[mapping.current].isNull
            }
            let holders = try UniqueValues(mapping.mapped, target, for: scope.access.user).holders(
                of: changed.map { $0.after[mapping.current] }, scope.tx)
            guard !holders.isEmpty else { continue }
            let visible = try scope.access.rows(Set(holders.values.joined().map(\.id)), of: target, for: .view, scope.tx)
            let catalog = scope.catalog
            let ids = Set(changed.map(\.after.id))
            drop { change, _ in
                guard ids.contains(change.after.id), let found = holders[UniqueValues.key(change.after[mapping.current])],
                    !found.isEmpty
                else { return nil }
                let path = change.path.appending(mapping.current.apiName)
                let shown = found.filter { visible.contains($0.id) }
                return shown.first?.clash(mapping.current, target, more: shown.count > 1, at: path, catalog) ?? .duplicate(at: path)
            }
        }
    }

    private mutating func drop(_ refusal: (PendingChange, [RecordDecoder.Reference]) -> Rejection?) {
        var refused: [Int: Rejection] = [:]
        for position in items.changes.indices {
            refused[items.numbers[position]] = refusal(items.changes[position], items.references[position])
        }
        items.drop(refused)
    }
}

extension PendingChange {
    /// The value a field gets that it did not have; `nil` when there is none.
    fileprivate func newValue(of field: Field) -> SQLValue? {
        if field.isPerUser {
            guard case .some(.some(let text)) = externalValues[field.id] else { return nil }
            return .text(text)
        }
        let value = after[field]
        if value.isNull || before.map({ $0[field] }) == value { return nil }
        return value
    }
}
