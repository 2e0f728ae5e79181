import Metadata
import Wire

/// Which options of one picklist go with which option of another, on one layout. Contract: map-dependency, 24 to 27.
package struct MapDependency: Sendable {
    package let document: Document
    package let parent: Field
    package let child: Field
    /// For each shown option of the parent, the shown options of the child. Options the mapping does not name are free.
    private let allowed: [String: Set<String>]

    package init?(_ document: Document, _ module: Module) {
        guard let parent = document.body["parent"]?["id"]?.looseInt64.flatMap({ module.field(FieldID(raw: $0)) }),
            let child = document.body["child"]?["id"]?.looseInt64.flatMap({ module.field(FieldID(raw: $0)) })
        else { return nil }
        self.document = document
        self.parent = parent
        self.child = child
        let shown = { (field: Field) in
            Dictionary(
                (field.body["pick_list_values"]?.array ?? []).map { ($0["id"]?.string ?? "", $0["display_value"]?.string ?? "") },
                uniquingKeysWith: { $1 })
        }
        let parents = shown(parent)
        let children = shown(child)
        allowed = Dictionary(
            (document.body["maps"]?.array ?? []).compactMap { entry in
                guard let value = entry["id"]?.string.flatMap({ parents[$0] }) else { return nil }
                return (value, Set((entry["to"]?.array ?? []).compactMap { $0.string.flatMap { children[$0] } }))
            }, uniquingKeysWith: { $1 })
    }

    /// The dependencies of a layout.
    package static func of(layout: RecordID, _ module: Module, _ catalog: Catalog) -> [MapDependency] {
        catalog.documents(.mapDependency).filter { $0.parent == layout }.compactMap { MapDependency($0, module) }
    }

    func permits(_ parent: String, _ child: String) -> Bool { allowed[parent]?.contains(child) ?? true }

    /// Reads a mapping into its stored form. `existing` keeps what the request does not name.
    package static func read(_ item: JSONCursor, layout: RecordID, _ module: Module, existing: Document?, _ catalog: Catalog)
        throws(Rejection) -> JSONValue
    {
        let parent = try field(item.required("parent"), of: module)
        let childGiven = try item.required("child")
        let child = try field(childGiven, of: module)
        guard parent !== child else { throw .invalid(at: childGiven.path) }
        let others = of(layout: layout, module, catalog).filter { $0.document.id != existing?.id }
        if others.contains(where: { $0.child === child }) { throw Rejection(.mappingExists, .apiName("child"), .jsonPath(childGiven.path)) }
        // A child of the child, and so on, must not be the parent.
        var above: Field? = parent
        for _ in 0...others.count {
            guard let current = above else { break }
            if current === child { throw .notAllowed(at: childGiven.path) }
            above = others.first { $0.child === current }?.parent
        }
        var maps =
            existing?.body["parent"]?["id"]?.looseInt64 == parent.id.raw && existing?.body["child"]?["id"]?.looseInt64 == child.id.raw
            ? existing?.body["maps"]?.array ?? [] : []
        for value in try item.required("pick_list_values").elements() {
            let id = try option(value, of: parent)
            var targets = maps.first { $0["id"]?.string == id }?["to"]?.array ?? []
            for target in try value.required("maps").elements() {
                let mapped = JSONValue.string(try option(target, of: child))
                targets.removeAll { $0 == mapped }
                if target.value["_delete"] == nil { targets.append(mapped) }
            }
            maps.removeAll { $0["id"]?.string == id }
            maps.append(["id": .string(id), "to": .array(targets)])
        }
        func short(_ field: Field) -> JSONValue { ["api_name": .string(field.apiName), "id": .string(String(field.id.raw))] }
        return [
            "module": .string(module.apiName), "parent": short(parent), "child": short(child), "active": true, "internal": false,
            "source": 1, "category": 0,
            "maps": .array(maps),
        ]
    }

    private static func field(_ given: JSONCursor, of module: Module) throws(Rejection) -> Field {
        let name = given.value["api_name"]?.string.flatMap { module.field($0) }
        let id = given.value["id"]?.looseInt64.flatMap { module.field(FieldID(raw: $0)) }
        if let name, let id, name !== id { throw .ambiguous(["api_name", "id"], at: given.path) }
        let named = given.value["api_name"] != nil
        let numbered = given.value["id"] != nil
        guard let found = name ?? id, !(named && name == nil), !(numbered && id == nil),
            ["picklist", "multiselectpicklist"].contains(found.type.dataType)
        else {
            throw .invalid(at: given.path)
        }
        return found
    }

    private static func option(_ given: JSONCursor, of field: Field) throws(Rejection) -> String {
        let id = try given.required("id")
        let wanted = id.value.looseInt64.map(String.init)
        guard let option = (field.body["pick_list_values"]?.array ?? []).first(where: { $0["id"]?.string == wanted }) else {
            throw .invalid(at: id.path)
        }
        for key in ["display_value", "actual_value"] {
            if let text = given.optional(key)?.value.string, text != option[key]?.string { throw .invalid(at: given.path.appending(key)) }
        }
        return wanted ?? ""
    }

    /// The mapping as answers show it.
    package func values() -> JSONValue {
        func shown(_ field: Field, _ id: String?) -> JSONValue? {
            let value = (field.body["pick_list_values"]?.array ?? []).first { $0["id"]?.string == id }
            return value.map {
                ["id": $0["id"] ?? .null, "display_value": $0["display_value"] ?? .null, "actual_value": $0["actual_value"] ?? .null]
            }
        }
        return .array(
            (document.body["maps"]?.array ?? []).compactMap { entry in
                guard var value = shown(parent, entry["id"]?.string) else { return nil }
                value["maps"] = .array((entry["to"]?.array ?? []).compactMap { shown(child, $0.string) })
                return value
            })
    }
}
