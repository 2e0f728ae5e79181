import Metadata
import Wire

/// A list of options that several fields share. Each field holds a copy, so that reading records needs no second look.
package enum GlobalPicklist {
    /// No contract names the count; ours keeps the catalog small.
    package static let limit = 200

    package struct Use: Sendable {
        package let field: Field
        package let module: Module
    }

    /// The fields that use a list, in the order of modules and fields.
    package static func uses(of id: RecordID, _ catalog: Catalog) -> [Use] {
        catalog.modules.flatMap { module in
            module.fields.filter { $0.body["global_picklist"]?["id"]?.looseInt64 == id.raw }.map { Use(field: $0, module: module) }
        }
    }

    /// Completes a list that is made or changed, and gives its fields the new options.
    package static func complete(_ body: inout JSONValue, id: RecordID, isNew: Bool, _ given: JSONCursor?, _ scope: MetadataScope) throws {
        var values = PicklistValues(body["pick_list_values"]?.array ?? [])
        if let given { try values.apply(given, scope.ids, removing: !isNew) }
        if body["pick_list_values_sorted_lexically"]?.bool == true { values.sort() }
        if isNew {
            guard scope.catalog.documents(.globalPicklist).count < limit else {
                throw Rejection(.limitExceeded, .other("limit", .integer(limit)))
            }
            let names = Set(scope.catalog.documents(.globalPicklist).compactMap { $0.body["api_name"]?.string })
            body["api_name"] = .string(MadeName.derived(from: body["display_label"]?.string ?? "", isTaken: names.contains))
            body["actual_label"] = body["display_label"]
            body["presence"] = true
            body["created_by"] = scope.actor
            body["created_time"] = scope.time
            body["modified_by"] = .null
            body["modified_time"] = .null
            values.addNone(scope.ids)
        } else {
            body["modified_by"] = scope.actor
            body["modified_time"] = scope.time
        }
        body["pick_list_values"] = .array(numbered(values.values))
        for use in uses(of: id, scope.catalog) {
            try BlueprintUse.follow(
                use.field, of: use.module, values: values.values, renamed: values.renamed,
                at: given?.path ?? JSONPath().appending("pick_list_values"), scope)
            try write(body["pick_list_values"] ?? [], to: use, keeping: true, scope)
            try PicklistReplaceJob.enqueue(values.renamed, field: use.field, of: use.module, list: id, scope)
        }
    }

    /// `-None-` is option 0 (U26).
    private static func numbered(_ values: [JSONValue]) -> [JSONValue] {
        values.enumerated().map { index, value in
            var value = value
            value["sequence_number"] = .integer(index)
            if value["type"] == nil { value["type"] = "used" }
            return value
        }
    }

    private static func write(_ values: JSONValue, to use: Use, keeping: Bool, _ scope: MetadataScope) throws {
        var body = use.field.body
        body["pick_list_values"] = values
        if !keeping { body["global_picklist"] = .null }
        try scope.replace(RecordID(raw: use.field.id.raw), body: body)
    }

    /// Its fields keep the options as their own. Nothing is left to do later, so the id stands for a job that is done.
    package static func delete(_ id: RecordID, _ scope: MetadataScope) throws -> RecordID {
        guard let list = scope.catalog.documents(.globalPicklist).first(where: { $0.id == id }) else {
            throw Rejection(.invalidData, .id(id))
        }
        for use in uses(of: id, scope.catalog) { try write(list.body["pick_list_values"] ?? [], to: use, keeping: false, scope) }
        try scope.remove([id])
        return scope.ids.next()
    }

    /// The old option goes unused, and a job gives its records the new one. Returns the job's id, or one that stands for
    /// nothing to do.
    package static func replace(_ item: JSONCursor, in id: RecordID, _ scope: MetadataScope) throws -> RecordID {
        guard let list = scope.catalog.documents(.globalPicklist).first(where: { $0.id == id }) else {
            throw Rejection(.invalidData, .resourcePathIndex(0))
        }
        var values = list.body["pick_list_values"]?.array ?? []
        let old = try option(item.required("old_value"), values)
        let new = try option(item.required("new_value"), values)
        guard old != new else { throw Rejection.invalid(at: item.path.appending("new_value")) }
        let (from, to) = (values[old]["display_value"]?.string ?? "", values[new]["display_value"]?.string ?? "")
        values[old]["type"] = "unused"
        values[new]["type"] = "used"
        var body = list.body
        body["pick_list_values"] = .array(values)
        body["replaced"] = .array(
            (body["replaced"]?.array ?? []) + [
                ["display_value": .string(from), "actual_value": values[old]["actual_value"] ?? .string(from)]
            ])
        try scope.replace(id, body: body)
        for use in uses(of: id, scope.catalog) {
            try BlueprintUse.follow(
                use.field, of: use.module, values: values, renamed: [], at: item.path.appending("old_value"), scope)
            try write(.array(values), to: use, keeping: true, scope)
            try PicklistReplaceJob.enqueue([(from, to)], field: use.field, of: use.module, list: id, scope)
        }
        return scope.ids.next()
    }

    private static func option(_ given: JSONCursor, _ values: [JSONValue]) throws(Rejection) -> Int {
        _ = try given.object()
        let id = given.optional("id")
        let shown = given.optional("display_value")
        guard id != nil || shown != nil else { throw .expected(["id", "display_value"], at: given.path) }
        let byID = id?.value.looseInt64.flatMap { wanted in values.firstIndex { $0["id"]?.looseInt64 == wanted } }
        let byName = shown.flatMap { shown in values.firstIndex { $0["display_value"] == shown.value } }
        if let id, byID == nil { throw .invalid(at: id.path) }
        if let shown, byName == nil { throw .invalid(at: shown.path) }
        if let byID, let byName, byID != byName { throw .ambiguous(["id", "display_value"], at: given.path) }
        guard let index = byID ?? byName, values[index]["display_value"]?.string != PicklistValues.none else {
            throw .invalid(at: given.path)
        }
        return index
    }
}
