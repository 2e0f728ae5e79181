import Metadata
import SQLStore
import Wire

/// Where blueprints need settings that somebody is about to change.
enum BlueprintUse {
    /// The options of a picklist that records may hold.
    static func options(_ values: [JSONValue]) -> Set<String> {
        Set(values.filter { $0["type"]?.string != "unused" }.compactMap { $0["display_value"]?.string })
    }

    /// The name of a blueprint that reads or writes a field.
    static func naming(_ field: Field, of module: Module, _ catalog: Catalog) -> String? {
        Blueprint.all(of: module.id, catalog).first { blueprint in
            blueprint.field == field.id || KeptCriteria.fields(in: blueprint.criteria).contains(field.apiName)
                || blueprint.transitions.contains { $0.names(field) }
        }?.name
    }

    /// A layout whose records go through a process stays.
    static func refuse(layout: RecordID, of module: ModuleID, _ catalog: Catalog) throws(Rejection) {
        guard let used = Blueprint.all(of: module, catalog).first(where: { $0.layout == layout }) else { return }
        throw Rejection(.notAllowed, .resourcePathIndex(0), .other("used_in", .string("blueprint: \(used.name)")))
    }

    /// Options that are states of a process stay; those that were renamed are renamed in it.
    static func follow(
        _ field: Field, of module: Module, values: [JSONValue], renamed: [(old: String, new: String)], at path: JSONPath,
        _ scope: MetadataScope
    ) throws {
        let options = options(values)
        for document in scope.catalog.documents(.blueprint) where document.body["field"]?["id"]?.looseInt64 == field.id.raw {
            var body = document.body
            body["transitions"] = .array((body["transitions"]?.array ?? []).map { self.renamed($0, renamed) })
            let blueprint = Blueprint(Document(id: document.id, kind: .blueprint, body: body))
            guard blueprint.states.allSatisfy({ $0 == Blueprint.none || options.contains($0) }) else {
                throw Rejection(
                    .notAllowed, .apiName(path.name), .jsonPath(path), .other("used_in", .string("blueprint: \(blueprint.name)")))
            }
            if body != document.body { try scope.replace(document.id, body: body) }
        }
    }

    /// A user, a role or a profile goes away. An heir takes the place among the owners of transitions; without one the entry goes, unless
    /// it is the only one: nobody named would be everybody.
    static func follow(leaving type: String, _ id: RecordID, heir: RecordID?, _ scope: MetadataScope) throws {
        for document in scope.catalog.documents(.blueprint) {
            var body = document.body
            body["transitions"] = .array(
                (body["transitions"]?.array ?? []).map { transition in
                    var transition = transition
                    transition["owners"] = .array(owners(transition["owners"]?.array ?? [], without: type, id, heir: heir))
                    return transition
                })
            if body != document.body { try scope.replace(document.id, body: body) }
        }
    }

    private static func owners(_ owners: [JSONValue], without type: String, _ id: RecordID, heir: RecordID?) -> [JSONValue] {
        func isFor(_ owner: JSONValue, _ wanted: RecordID) -> Bool {
            owner["type"]?.string == type && owner["id"]?.looseInt64 == wanted.raw
        }
        var kept = owners
        guard let place = kept.firstIndex(where: { isFor($0, id) }) else { return owners }
        if let heir, !kept.contains(where: { isFor($0, heir) }) {
            kept[place]["id"] = .id(heir)
        } else if kept.count > 1 {
            kept.removeAll { isFor($0, id) }
        }
        return kept
    }

    private static func renamed(_ transition: JSONValue, _ renamed: [(old: String, new: String)]) -> JSONValue {
        func now(_ value: JSONValue) -> JSONValue { renamed.first { .string($0.old) == value }.map { .string($0.new) } ?? value }
        var transition = transition
        transition["from"] = .array((transition["from"]?.array ?? []).map(now))
        transition["to"] = now(transition["to"] ?? .null)
        return transition
    }
}
