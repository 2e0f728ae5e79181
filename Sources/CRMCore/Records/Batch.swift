import Metadata
import SQLStore
import Wire

/// The items of one write between decoding and the tables. Refused ones drop out and keep their refusal.
struct Batch {
    struct Pending {
        let index: Int
        var change: PendingChange
        var references: [RecordDecoder.Reference]
    }

    let module: Module
    private(set) var pending: [Pending] = []
    private var refused: [Int: Rejection] = [:]
    private let scope: WriteScope

    init(_ module: Module, _ scope: WriteScope) {
        self.module = module
        self.scope = scope
    }

    init(_ drafts: RecordDrafts, _ scope: WriteScope) {
        self.init(drafts.module, scope)
        pending.reserveCapacity(drafts.items.count)
        for (index, item) in drafts.items.enumerated() {
            switch item {
            case .success(let draft): pending.append(Pending(index: index, change: draft.change, references: draft.references))
            case .failure(let rejection): refused[index] = rejection
            }
        }
    }

    mutating func decode(_ index: Int, _ body: () throws(Rejection) -> (PendingChange, [RecordDecoder.Reference])) {
        do throws(Rejection) {
            let (change, references) = try body()
            pending.append(Pending(index: index, change: change, references: references))
        } catch {
            refused[index] = error
        }
    }

    /// Runs `body` on each pending change; a refusal drops it.
    mutating func forEach(_ body: (inout PendingChange) throws -> Void) throws { try forEachIndexed { try body(&$1) } }

    /// The same, with the number of the item.
    mutating func forEachIndexed(_ body: (Int, inout PendingChange) throws -> Void) throws {
        var isWhole = true
        for position in pending.indices {
            // In place: a copy of a record costs more than most rules do.
            do {
                try body(pending[position].index, &pending[position].change)
            } catch let rejection as Rejection {
                refused[pending[position].index] = rejection
                isWhole = false
            }
        }
        if !isWhole { pending.removeAll { refused[$0.index] != nil } }
    }

    /// In the order of the items; each is either pending still or refused.
    func outcomes(_ count: Int) -> [RecordStore.Outcome] {
        var outcomes = [RecordStore.Outcome](repeating: .failure(Rejection(.internalError)), count: count)
        for (index, rejection) in refused { outcomes[index] = .failure(rejection) }
        for item in pending { outcomes[item.index] = .success(item.change.after) }
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
        let found = try HeldReferences(pending.flatMap(\.references).map { ($0.module, $0.id.raw) }).hold(scope)
        let hidden = try hiddenReferences()
        let catalog = scope.catalog
        drop { item in
            for reference in item.references {
                let kept = item.change.before?[reference.field].integer == reference.id.raw
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
        let values = pending.flatMap { filters.values(of: $0.change) }
        guard !values.isEmpty else { return }
        let refused = try LookupFilters.refused(values, scope)
        drop { item in
            let wrong = filters.values(of: item.change).first { refused[$0.field.id]?.contains($0.id) ?? false }
            guard let wrong else { return nil }
            return Rejection(
                .filterCriteriaNotSatisfied, .apiName(wrong.field.apiName), .jsonPath(item.change.path.appending(wrong.field.apiName)))
        }
    }

    /// The records pointed at that the caller does not see, and those that may not get notes and files.
    private func hiddenReferences() throws -> (unseen: Set<RecordID>, unchangeable: Set<RecordID>) {
        var unseen: Set<RecordID> = []
        var unchangeable: Set<RecordID> = []
        for (moduleID, references) in Dictionary(grouping: pending.flatMap(\.references), by: \.module) {
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
        let changes = pending.map(\.change).filter { !$0.files.isEmpty }
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
        var clashes: [Int: [Rejection]] = [:]
        for field in module.fields where field.unique && (field.isPerUser || !field.columns.isEmpty) {
            let changed = pending.filter { $0.change.newValue(of: field) != nil }
            guard !changed.isEmpty else { continue }
            let holders = try UniqueValues.compared(field, module, scope.catalog, for: scope.access.user).holders(
                of: changed.compactMap { $0.change.newValue(of: field) }, scope.tx)
            let visible = try scope.access.rows(Set(holders.values.joined().map(\.id)), of: module, for: .view, scope.tx)
            var seen: [SQLValue: RecordID] = [:]
            for item in changed {
                let key = UniqueValues.key(item.change.newValue(of: field) ?? .null)
                let others = (holders[key] ?? []).filter { $0.id != item.change.after.id }
                let path = item.change.path.appending(field.apiName)
                if !others.isEmpty {
                    // A value that a record hidden from the caller holds is taken too; the caller does not learn by which.
                    let shown = others.filter { visible.contains($0.id) }
                    let refusal = shown.first?.clash(field, module, more: shown.count > 1, at: path, scope.catalog)
                    clashes[item.index, default: []].append(refusal ?? .duplicate(at: path))
                } else if seen[key] != nil {
                    clashes[item.index, default: []].append(.duplicate(at: path))
                } else {
                    seen[key] = item.change.after.id
                }
            }
        }
        guard !clashes.isEmpty else { return }
        drop { item in
            guard let errors = clashes[item.index], let first = errors.first else { return nil }
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
            let changed = pending.filter { item in
                item.change.before.map { $0[mapping.current] } != item.change.after[mapping.current]
                    && !item.change.after[mapping.current].isNull
            }
            let holders = try UniqueValues(mapping.mapped, target, for: scope.access.user).holders(
                of: changed.map { $0.change.after[mapping.current] }, scope.tx)
            guard !holders.isEmpty else { continue }
            let visible = try scope.access.rows(Set(holders.values.joined().map(\.id)), of: target, for: .view, scope.tx)
            let catalog = scope.catalog
            let indexes = Set(changed.map(\.index))
            drop { item in
                guard indexes.contains(item.index), let found = holders[UniqueValues.key(item.change.after[mapping.current])],
                    !found.isEmpty
                else { return nil }
                let path = item.change.path.appending(mapping.current.apiName)
                let shown = found.filter { visible.contains($0.id) }
                return shown.first?.clash(mapping.current, target, more: shown.count > 1, at: path, catalog) ?? .duplicate(at: path)
            }
        }
    }

    private mutating func drop(_ refusal: (Pending) -> Rejection?) {
        pending.removeAll { item in
            guard let rejection = refusal(item) else { return false }
            refused[item.index] = rejection
            return true
        }
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
