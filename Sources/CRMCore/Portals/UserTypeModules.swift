import Metadata
import Wire

/// What a kind of portal users may see: the modules of a body over those that were there. Contract: portals, 82 and 84.
struct UserTypeModules {
    /// Open to everybody of a portal; the others must look the person up.
    private static let publicModules: Set<String> = ["Products", "Solutions", "Campaigns", "Price_Books"]
    private static let rights = ["view", "edit", "create", "delete", "edit_shared_records", "create_attachment", "delete_attachment"]
    private static let hiddenFields: Set<String> = ["Tag", "Layout", "Locked__s", "Record_Status__s"]

    private let personality: Module
    private let catalog: Catalog

    init(_ personality: Module, _ catalog: Catalog) {
        self.personality = personality
        self.catalog = catalog
    }

    func read(_ given: JSONCursor, over before: [JSONValue]) throws(Rejection) -> [JSONValue] {
        var kept = before
        for item in try given.elements() {
            _ = try item.object()
            let id = try UserTypeShaper.needed("id", item)
            let wanted = try id.recordID()
            guard let module = catalog.module(id: ModuleID(raw: wanted.raw))?.whole else {
                throw Rejection(.invalidModule, .apiName("id"), .jsonPath(id.path))
            }
            let index = kept.firstIndex { $0["id"]?.looseInt64 == wanted.raw }
            if item.value["_delete"]?.bool == true {
                guard let index else { throw .invalid(at: id.path) }
                guard module.id != personality.id, module.apiName != "Notes" else { throw cannotRemove("modules", item.path) }
                kept.remove(at: index)
                continue
            }
            let entry = try self.module(item, module, over: index.map { kept[$0] })
            if let index { kept[index] = entry } else { kept.append(entry) }
        }
        for required in [personality, catalog.module("Notes")].compactMap(\.self)
        where !kept.contains(where: { $0["id"]?.looseInt64 == required.id.raw }) {
            throw Rejection(.requiredParamMissing, .apiName("modules"), .jsonPath(given.path), .other("module", .string(required.apiName)))
        }
        // Modules that were there because of another personality.
        for entry in kept {
            guard let module = catalog.module(id: ModuleID(raw: entry["id"]?.looseInt64 ?? 0)), belongs(module) else {
                throw .invalid(at: given.path)
            }
        }
        return kept
    }

    private func cannotRemove(_ name: String, _ path: JSONPath) -> Rejection { Rejection(.cannotRemove, .apiName(name), .jsonPath(path)) }

    /// Lookups by which records of the module find the person.
    private func lookups(of module: Module) -> [Field] {
        module.fields.filter { $0.isRecordLookup && !$0.columns.isEmpty && ($0.target == nil || $0.target == personality.id) }
    }

    private func belongs(_ module: Module) -> Bool {
        module.id == personality.id || module.apiName == "Notes" || Self.publicModules.contains(module.apiName) || isRelated(module)
    }

    private func isRelated(_ module: Module) -> Bool {
        module.table != nil && module.apiSupported && (!lookups(of: module).isEmpty || linked(module))
    }

    /// Joined to the person by a linking module.
    private func linked(_ module: Module) -> Bool {
        catalog.modules.contains { link in
            guard let (left, right) = link.linkPair else { return false }
            return [(left, right), (right, left)].contains { $0.0.target == module.id && $0.1.target == personality.id }
        }
    }

    private func module(_ item: JSONCursor, _ module: Module, over before: JSONValue?) throws(Rejection) -> JSONValue {
        let isNote = module.apiName == "Notes"
        guard belongs(module) else { throw Rejection(.invalidModule, .apiName("id"), .jsonPath(item.path.appending("id"))) }
        var kept: JSONValue =
            before ?? ["id": .string(String(module.id.raw)), "layouts": .null, "views": .null, "filters": .null, "fields": []]
        if before == nil || UserTypeShaper.given("shared_type", item) != nil {
            let shared = try UserTypeShaper.needed("shared_type", item)
            guard ["private", "public"].contains(shared.value.string) else { throw .unsupported(["private", "public"], at: shared.path) }
            if shared.value == "private", Self.publicModules.contains(module.apiName), !isRelated(module) {
                throw Rejection(.invalidModule, .apiName("shared_type"), .jsonPath(shared.path))
            }
            kept["shared_type"] = shared.value
        }
        if before == nil || UserTypeShaper.given("permissions", item) != nil {
            kept["permissions"] = try permissions(try UserTypeShaper.needed("permissions", item), over: before?["permissions"])
        }
        if !isNote { try readScope(item, module, &kept, isNew: before == nil) }
        return kept
    }

    private func permissions(_ given: JSONCursor, over before: JSONValue?) throws(Rejection) -> JSONValue {
        _ = try given.object()
        var kept: JSONValue = [:]
        for right in Self.rights {
            kept[right] = .bool(try UserTypeShaper.given(right, given)?.bool() ?? before?[right]?.bool ?? false)
        }
        guard kept["view"] == true else { throw .invalid(at: given.path.appending("view")) }
        return kept
    }

    /// Layouts, view, filters and fields.
    private func readScope(_ item: JSONCursor, _ module: Module, _ kept: inout JSONValue, isNew: Bool) throws(Rejection) {
        if isNew || item.optional("layouts") != nil {
            let layouts = try self.layouts(item, module)
            if layouts.isEmpty {
                if !isNew { throw cannotRemove("layouts", item.path.appending("layouts")) }
                if kept["shared_type"] == "private" {
                    throw Rejection(
                        .dependentFieldMissing, .dependee("shared_type", item.path.appending("shared_type")), .apiName("layouts"),
                        .jsonPath(item.path.appending("layouts")))
                }
            }
            kept["layouts"] = layouts.isEmpty ? JSONValue.null : .array(layouts.map { ["id": .id($0)] })
        }
        let named = layoutFields(kept)
        if isNew || item.optional("views") != nil { kept["views"] = try view(try UserTypeShaper.needed("views", item), module) }
        if let filters = item.optional("filters") { kept["filters"] = try self.filters(filters, module, on: named.all) }
        if isNew || UserTypeShaper.given("fields", item) != nil {
            let fields = try UserTypeShaper.needed("fields", item)
            kept["fields"] = .array(try self.fields(fields, module, over: kept["fields"]?.array ?? [], mandatory: named.mandatory))
        }
    }

    private func layouts(_ item: JSONCursor, _ module: Module) throws(Rejection) -> [RecordID] {
        var ids: [RecordID] = []
        for layout in try UserTypeShaper.given("layouts", item)?.elements() ?? [] {
            guard let given = UserTypeShaper.given("id", layout) else {
                throw Rejection(.dependentFieldMissing, .apiName("id"), .jsonPath(layout.path.appending("id")))
            }
            let id = try given.recordID()
            guard catalog.documents(.layout).contains(where: { $0.id == id && $0.parent?.raw == module.id.raw }) else {
                throw .invalid(at: given.path)
            }
            ids.append(id)
        }
        return ids
    }

    /// The API names of the fields on the layouts, and of those that must be filled there.
    private func layoutFields(_ kept: JSONValue) -> (all: Set<String>, mandatory: Set<String>) {
        let ids = Set((kept["layouts"]?.array ?? []).compactMap { $0["id"]?.looseInt64 })
        let layouts = catalog.documents(.layout).filter { ids.contains($0.id.raw) }
        let fields = layouts.flatMap { $0.body["sections"]?.array ?? [] }.flatMap { $0["fields"]?.array ?? [] }
        return (
            Set(fields.compactMap { $0["api_name"]?.string }),
            Set(fields.filter { $0["required"]?.bool == true }.compactMap { $0["api_name"]?.string })
        )
    }

    private func view(_ given: JSONCursor, _ module: Module) throws(Rejection) -> JSONValue {
        _ = try given.object()
        guard let id = UserTypeShaper.given("id", given) else {
            throw Rejection(.dependentFieldMissing, .apiName("id"), .jsonPath(given.path.appending("id")))
        }
        let type = try UserTypeShaper.given("type", given)?.string() ?? "custom_view"
        guard ["custom_view", "canvas_view"].contains(type) else {
            throw .unsupported(["custom_view", "canvas_view"], at: given.path.appending("type"))
        }
        let wanted = try id.recordID()
        // There are no canvas views, so none that is named exists.
        guard type == "custom_view", catalog.documents(.customView).contains(where: { $0.id == wanted && $0.parent?.raw == module.id.raw })
        else { throw .invalid(at: id.path) }
        return ["id": .id(wanted), "type": .string(type)]
    }

    private func filters(_ given: JSONCursor, _ module: Module, on layout: Set<String>) throws(Rejection) -> JSONValue {
        guard !given.value.isNull else { return .null }
        var ids: [Int64] = []
        for element in try given.elements() {
            let id = try element.required("id")
            let wanted = try id.recordID().raw
            guard let field = lookups(of: module).first(where: { $0.id.raw == wanted }) else { throw .invalid(at: id.path) }
            guard layout.contains(field.apiName) else { throw .notAllowed(at: id.path) }
            guard !ids.contains(wanted) else { throw .duplicate(at: id.path) }
            ids.append(wanted)
        }
        return ids.isEmpty ? .null : .array(ids.map { ["id": .string(String($0))] })
    }

    private func fields(_ given: JSONCursor, _ module: Module, over before: [JSONValue], mandatory: Set<String>) throws(Rejection)
        -> [JSONValue]
    {
        var kept = before
        for element in try given.elements() {
            let id = try element.required("id")
            let wanted = try id.recordID().raw
            guard let field = module.fields.first(where: { $0.id.raw == wanted }), !Self.hiddenFields.contains(field.apiName) else {
                throw .invalid(at: id.path)
            }
            let index = kept.firstIndex { $0["id"]?.looseInt64 == wanted }
            let isMandatory = field.systemMandatory || mandatory.contains(field.apiName)
            if element.value["_delete"]?.bool == true {
                if isMandatory { throw cannotRemove("fields", element.path) }
                guard let index else { throw .invalid(at: id.path) }
                kept.remove(at: index)
                continue
            }
            let readOnly = try UserTypeShaper.given("read_only", element)?.bool() ?? false
            if readOnly, isMandatory { throw .invalid(at: element.path.appending("read_only")) }
            let entry: JSONValue = ["id": .string(String(wanted)), "read_only": .bool(readOnly)]
            if let index { kept[index] = entry } else { kept.append(entry) }
        }
        return kept
    }
}
