import Metadata
import SQLStore
import Wire

/// Puts tags on records and takes them off, many records at once.
package struct TagAssignment: Sendable {
    package enum Mode: Sendable { case add, replace, remove }

    /// A tag as a caller names it: by id, which wins, or by name.
    package struct Named: Sendable {
        package let id: RecordID?
        package let name: String?
        package let color: String?
        package let path: JSONPath

        package init(id: RecordID?, name: String?, color: String?, path: JSONPath) {
            self.id = id
            self.name = name
            self.color = color
            self.path = path
        }
    }

    package let mode: Mode
    package let tags: [Named]

    package init(_ mode: Mode, _ tags: [Named]) {
        self.mode = mode
        self.tags = tags
    }

    /// The tags each record carries afterwards, or why it was left alone, in the order of `ids`.
    package func apply(to ids: [RecordID], of module: Module, _ scope: WriteScope) throws -> [Result<[Tag], Rejection>] {
        try scope.access.require(.edit, module)
        try scope.access.require(.tag, module)
        if let field = module.whole.field("Tag"), scope.access.right(on: field) != .readWrite {
            throw Rejection.readOnlyField(at: JSONPath().appending("tags"))
        }
        let rows = try Planner(scope.catalog, scope.access).rows(ids, of: module, for: .tag, scope.tx)
        var known = try TagDirectory.tags(of: module.id, scope.tx)
        let named = try resolve(&known, module, scope)
        let held = try TagStore.held(by: ids, scope.tx)
        var outcomes: [RecordID: Result<[RecordID], Rejection>] = [:]
        for id in ids where outcomes[id] == nil {
            outcomes[id] = outcome(id, rows, (held[id] ?? []).map(RecordID.init(raw:)), named, scope)
        }
        try write(outcomes.compactMapValues { try? $0.get() }, held, module, scope)
        let byID = Dictionary(known.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return ids.map { id in (outcomes[id] ?? .success([])).map { $0.compactMap { byID[$0] } } }
    }

    /// As `apply`, for records a write has in hand: they are locked, and their own checks are done.
    func assign(to ids: [RecordID], of module: Module, _ scope: WriteScope) throws {
        var known = try TagDirectory.tags(of: module.id, scope.tx)
        let named = try resolve(&known, module, scope)
        let held = try TagStore.held(by: ids, scope.tx)
        try write(Dictionary(ids.map { ($0, named) }, uniquingKeysWith: { first, _ in first }), held, module, scope)
    }

    private func outcome(_ id: RecordID, _ rows: LoadedRows, _ held: [RecordID], _ named: [RecordID], _ scope: WriteScope) -> Result<
        [RecordID], Rejection
    > {
        guard let row = rows[id] else {
            return .failure(rows.refusal(of: id, else: Rejection(.invalidData, message: "the id given seems to be invalid", .id(id))))
        }
        do throws(Rejection) {
            try RecordStore.refuseIfHeld(row)
            try LockingConfiguration.refuse(.tags, on: row, scope)
        } catch {
            return .failure(error)
        }
        let after =
            switch mode {
            case .replace: named
            case .remove: held.filter { !named.contains($0) }
            case .add: held + named.filter { !held.contains($0) }
            }
        guard after.count <= TagStore.limitPerRecord || after.count <= held.count else {
            return .failure(Rejection(.limitExceeded, .id(id), .other("limit", .integer(TagStore.limitPerRecord))))
        }
        return .success(after)
    }

    /// The ids of the tags named, without repeats. Unknown names become tags, unless they are to be taken off.
    private func resolve(_ known: inout [Tag], _ module: Module, _ scope: WriteScope) throws -> [RecordID] {
        var found: [RecordID] = []
        var made: [Tag] = []
        for named in tags {
            let match = known.first { tag in named.id.map { $0 == tag.id } ?? TagDirectory.same(tag.name, named.name ?? "") }
            if let match {
                if !found.contains(match.id) { found.append(match.id) }
                continue
            }
            guard named.id == nil, mode != .remove, let name = named.name else {
                throw Rejection.invalid(
                    at: named.path.appending(named.id == nil ? "name" : "id"), message: "the tag given seems to be invalid")
            }
            guard known.count < TagDirectory.limitPerModule else { throw TagDirectory.limitReached(at: named.path) }
            let tag = Tag(id: scope.ids.next(), module: module.id, name: name, color: named.color, by: scope.access.user, at: scope.now)
            known.append(tag)
            made.append(tag)
            found.append(tag.id)
        }
        try TagDirectory.insert(made, scope.tx)
        return found
    }

    private func write(_ after: [RecordID: [RecordID]], _ held: [RecordID: [Int64]], _ module: Module, _ scope: WriteScope) throws {
        let changed = after.filter { id, tags in tags.map(\.raw) != held[id] ?? [] }.sorted { $0.key < $1.key }
        guard !changed.isEmpty else { return }
        try scope.tx.execute("DELETE FROM sys_record_tag WHERE \(.memberIDs("record_id", changed.map(\.key.raw)))")
        try scope.tx.insert(
            into: "sys_record_tag", ["record_id", "tag_id", "position"],
            rows: changed.flatMap { id, tags in tags.enumerated().map { [.id(id), .id($1), .integer(Int64($0))] } })
        try ChangeLog.append(
            changed.map { id, tags in
                .init(module.id, id, .tagged, before: TagStore.json(held[id] ?? []), after: TagStore.json(tags.map(\.raw)))
            }, scope)
    }
}
