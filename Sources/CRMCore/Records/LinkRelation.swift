import Metadata
import SQLStore
import Wire

/// A related list whose rows are joined to their record through a linking module: how to join and part them.
package struct LinkRelation: Sendable {
    /// The module whose record owns the list.
    package let module: Module
    package let link: Module
    let mine: Field
    let theirs: Field
    /// The module of the listed records.
    package let target: Module

    /// `nil` when the list has no linking module.
    package init?(_ list: RelatedList, of module: Module, _ catalog: Catalog) {
        for case .link(let linkID, let mineID, let theirsID, let targetID) in list.relations {
            guard let link = catalog.module(id: linkID), let mine = link.field(mineID), let theirs = link.field(theirsID),
                let target = catalog.module(id: targetID)
            else { continue }
            self.module = module
            self.link = link
            self.mine = mine
            self.theirs = theirs
            self.target = target
            return
        }
        return nil
    }

    /// What the linking module says beside its two sides: a member's status, a list price.
    package var ownFields: [Field] {
        link.fields.filter { $0.settable && !$0.columns.isEmpty && $0.body["link_side"]?.bool != true && $0.apiName != "id" }
    }

    package enum Change: Sendable { case added, updated }

    /// Joins a record with those that the items name by `id`, or changes what joins them already. The record is locked first,
    /// so that no pair is ever joined twice.
    package func join(_ record: RecordID, with items: [JSONCursor], _ store: RecordStore, _ scope: WriteScope) throws -> [Result<
        (RecordID, Change), Rejection
    >] {
        try lock(record, scope)
        let ids = items.compactMap { $0.value["id"]?.looseInt64.map(RecordID.init(raw:)) }
        // Held before the links are looked at: a merge of theirs may be moving some here.
        _ = try HeldReferences(ids.map { (target.id, $0.raw) }).hold(scope)
        let there = try Planner(scope.catalog, scope.access).rows(ids, of: target, for: .view, locked: false, scope.tx)
        var joined = try links(of: record, to: ids, scope)
        var outcomes: [Result<(RecordID, Change), Rejection>] = []
        // Items of one call may name one record twice; the second changes what the first made. A call holds at most 100.
        for item in items {
            do {
                let id = try item.required("id").recordID()
                guard there[id] != nil else { throw Rejection.unknownRecord(at: item.path.appending("id")) }
                let written: RecordID
                do {
                    written = try write(item, record, id, existing: joined[id], store, scope)
                } catch let taken as Rejection where taken.code == .duplicateData && joined[id] == nil {
                    // Joined from the other side meanwhile: what that made is changed.
                    joined = try links(of: record, to: ids, scope)
                    guard joined[id] != nil else { throw taken }
                    written = try write(item, record, id, existing: joined[id], store, scope)
                }
                outcomes.append(.success((id, joined[id] == nil ? .added : .updated)))
                joined[id] = written
            } catch let rejection as Rejection {
                outcomes.append(.failure(rejection))
            }
        }
        return outcomes
    }

    private func write(
        _ item: JSONCursor, _ record: RecordID, _ other: RecordID, existing: RecordID?, _ store: RecordStore, _ scope: WriteScope
    ) throws -> RecordID {
        let own = Set(ownFields.map(\.apiName))
        var members = (item.value.members ?? []).filter { own.contains($0.name) }
        if let existing {
            members.append(.init("id", .id(existing)))
            let outcome = try store.update([JSONCursor(.object(members), at: item.path)], link, scope)
            return try outcome.first?.get().id ?? existing
        }
        members.append(.init(mine.apiName, ["id": .id(record), "module": ["api_name": .string(module.apiName)]]))
        members.append(.init(theirs.apiName, ["id": .id(other), "module": ["api_name": .string(target.apiName)]]))
        guard let made = try store.insert([JSONCursor(.object(members), at: item.path)], link, scope).first else {
            throw Rejection(.internalError)
        }
        return try made.get().id
    }

    /// Parts a record from others. Those it was not joined with are refused.
    package func part(_ record: RecordID, from ids: [RecordID], _ scope: WriteScope) throws -> [Result<RecordID, Rejection>] {
        try lock(record, scope)
        let joined = try links(of: record, to: ids, scope)
        try remove(Array(joined.values), scope)
        return ids.map {
            joined[$0] == nil ? .failure(Rejection(.invalidData, message: "the id given seems to be invalid", .id($0))) : .success($0)
        }
    }

    /// Removes rows of the linking module, and logs them.
    func remove(_ links: [RecordID], _ scope: WriteScope) throws {
        guard let table = link.table, !links.isEmpty else { return }
        let system = Planner(scope.catalog, .system("the rows of a linking module have no rights of their own"))
        let rows = try system.rows(links, of: link, for: .delete, scope.tx)
        try ChangeLog.append(
            rows.values.sorted { $0.id < $1.id }.map { .init(record: $0, kind: .deleted, before: Graves.image(of: $0)) }, scope)
        try scope.tx.execute("DELETE FROM \(table) WHERE \(.memberIDs("id", links.map(\.raw)))")
    }

    /// The right to edit, and the record itself: nobody else changes its list meanwhile.
    private func lock(_ record: RecordID, _ scope: WriteScope) throws {
        try scope.access.require(.edit, module)
        let rows = try Planner(scope.catalog, scope.access).rows([record], of: module, for: .edit, scope.tx)
        guard let row = rows[record] else { throw rows.refusal(of: record, else: .invalidPathID(1)) }
        try RecordStore.refuseIfHeld(row)
    }

    func links(of record: RecordID, to ids: [RecordID], _ scope: WriteScope) throws -> [RecordID: RecordID] {
        guard let table = link.table, let mine = mine.columns.first, let theirs = theirs.columns.first else { return [:] }
        let rows = try scope.tx.rows(
            "SELECT k.\(theirs), k.id FROM \(table) k WHERE k.\(mine) = \(record)\(sides) AND \(.memberIDs("\(theirs, of: "k")", ids.map(\.raw))) ORDER BY k.id"
        ) { (RecordID(raw: $0.integer(0) ?? 0), RecordID(raw: $0.integer(1) ?? 0)) }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// The records joined to one, in the order they were joined.
    func joined(to record: RecordID, _ scope: WriteScope) throws -> [RecordID] {
        guard let table = link.table, let mine = mine.columns.first, let theirs = theirs.columns.first else { return [] }
        return try scope.tx.rows("SELECT k.\(theirs) FROM \(table) k WHERE k.\(mine) = \(record)\(sides) ORDER BY k.id") {
            RecordID(raw: $0.integer(0) ?? 0)
        }
    }

    /// Joins a record with others that are there and that it is not joined with yet.
    func add(_ record: RecordID, to ids: [RecordID], _ store: RecordStore, _ scope: WriteScope) throws {
        let there = try HeldReferences(ids.map { (target.id, $0.raw) }).hold(scope)
        let known = try links(of: record, to: ids, scope)
        let items = ids.filter { there[$0] != nil && known[$0] == nil }.map { id -> JSONCursor in
            JSONCursor([
                mine.apiName: ["id": .id(record), "module": ["api_name": .string(module.apiName)]],
                theirs.apiName: ["id": .id(id), "module": ["api_name": .string(target.apiName)]],
            ])
        }
        guard !items.isEmpty else { return }
        for outcome in try store.insert(items, link, scope) { _ = try outcome.get() }
    }

    /// Where a side may hold records of several modules.
    private var sides: SQL {
        var sql: SQL = ""
        if mine.columns.count == 2 { sql += " AND \(mine.columns[1], of: "k") = \(.literal(module.id.raw))" }
        if theirs.columns.count == 2 { sql += " AND \(theirs.columns[1], of: "k") = \(.literal(target.id.raw))" }
        return sql
    }
}
