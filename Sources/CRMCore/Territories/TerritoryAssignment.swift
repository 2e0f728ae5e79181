import Metadata
import SQLStore
import Wire

/// People put records into territories, and take them out. Contract: territories, 7 and 8.
package struct TerritoryAssignment: Sendable {
    package enum Action: Sendable { case assign, remove }

    private let action: Action
    private let module: Module

    package init(_ action: Action, _ module: Module) {
        self.action = action
        self.module = module
    }

    /// One outcome for each item, which names a record by `id` and the territories under `key`. All rows are locked first.
    package func apply(to items: [JSONCursor], key: String, _ scope: WriteScope) throws -> [Result<RecordID, Rejection>] {
        try scope.access.require(.edit, module)
        let ids = items.compactMap { $0.value["id"]?.looseInt64.map(RecordID.init(raw:)) }
        let rows = try Planner(scope.catalog, scope.access).rows(ids, of: module, for: .edit, scope.tx)
        var held = try RecordTerritories.held(by: rows.keys, scope.tx)
        let before = held
        var added: [(RecordID, RecordTerritories.Assignment)] = []
        var removed: [(record: RecordID, territory: RecordID)] = []
        var outcomes: [Result<RecordID, Rejection>] = []
        for item in items {
            do throws(Rejection) {
                let id = try item.required("id").recordID()
                guard let row = rows[id] else { throw rows.refusal(of: id, else: .unknownRecord(at: item.path.appending("id"))) }
                try RecordStore.refuseIfHeld(row)
                try LockingConfiguration.refuse(.update, on: row, scope)
                let chosen = try territories(of: item, key, scope.catalog)
                switch action {
                case .assign:
                    let places = try assigned(chosen, over: held[id] ?? [], scope)
                    held[id, default: []] += places
                    added += places.map { (id, $0) }
                case .remove:
                    try requireRemovable(chosen, held[id] ?? [])
                    held[id]?.removeAll { place in chosen.contains { $0.id == place.territory } }
                    removed += chosen.map { (id, $0.id) }
                }
                outcomes.append(.success(id))
            } catch {
                outcomes.append(.failure(error))
            }
        }
        try RecordTerritories.remove(removed, scope.tx)
        try RecordTerritories.add(added, of: module.id, scope.tx)
        try RecordTerritories.log(rows.keys.sorted(), of: module.id, from: before, to: held, scope)
        return outcomes
    }

    private struct Chosen {
        let id: RecordID
        let path: JSONPath
    }

    private func territories(of item: JSONCursor, _ key: String, _ catalog: Catalog) throws(Rejection) -> [Chosen] {
        let given = try item.required(key)
        let entries = try given.elements()
        if entries.isEmpty { throw .missing(key, at: item.path) }
        var chosen: [Chosen] = []
        for entry in entries {
            let named = try entry.required("id")
            let id = try named.recordID()
            guard catalog.territories[id] != nil else { throw .invalid(at: named.path) }
            if chosen.contains(where: { $0.id == id }) { throw Rejection(.alreadyUsed, .apiName("id"), .jsonPath(named.path)) }
            chosen.append(Chosen(id: id, path: named.path))
        }
        return chosen
    }

    private func assigned(_ chosen: [Chosen], over held: [RecordTerritories.Assignment], _ scope: WriteScope) throws(Rejection)
        -> [RecordTerritories.Assignment]
    {
        let limit = TerritorySetup.limits[module.apiName] ?? 0
        for territory in chosen where held.contains(where: { $0.territory == territory.id }) { throw .duplicate(at: territory.path) }
        let there = held.filter { scope.catalog.territories[$0.territory] != nil }.count
        if there + chosen.count > limit, let path = chosen.first?.path {
            throw Rejection(.limitExceeded, .apiName("Territories"), .jsonPath(path), .other("limit", .integer(limit)))
        }
        return chosen.map { .init(territory: $0.id, manual: true, by: scope.access.user, at: scope.now) }
    }

    private func requireRemovable(_ chosen: [Chosen], _ held: [RecordTerritories.Assignment]) throws(Rejection) {
        for territory in chosen {
            guard let place = held.first(where: { $0.territory == territory.id }) else { throw .invalid(at: territory.path) }
            if !place.manual {
                throw Rejection(
                    .notAllowed, message: "a territory assigned by the system cannot be removed", status: 403, .apiName("id"),
                    .jsonPath(territory.path))
            }
        }
    }
}
