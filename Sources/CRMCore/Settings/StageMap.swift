import Metadata
import Wire

/// The stages of deals: options of the Stage field, with what the pipelines say each of them means.
package struct StageMap: Sendable {
    /// The options by id and in order.
    private let options: [JSONValue]
    private let meanings: [String: JSONValue]

    package init(_ catalog: Catalog) {
        options = catalog.module("Deals")?.field("Stage")?.body["pick_list_values"]?.array ?? []
        let maps = catalog.documents(.pipeline).flatMap { $0.body["maps"]?.array ?? [] }
        meanings = Dictionary(maps.map { ($0["display_value"]?.string ?? "", $0) }, uniquingKeysWith: { first, _ in first })
    }

    package func id(of map: JSONValue) -> JSONValue {
        options.first { $0["display_value"] == map["display_value"] || $0["actual_value"] == map["actual_value"] }?["id"] ?? .null
    }

    /// The stored map of a stage named by its option's id: what it means elsewhere, or an open stage nobody has judged yet.
    package func map(_ id: JSONValue?, sequence: Int64) -> JSONValue? {
        guard let wanted = id?.looseInt64, let option = options.first(where: { $0["id"]?.looseInt64 == wanted }) else { return nil }
        let known =
            option["display_value"]?.string.flatMap { meanings[$0] } ?? [
                "probability": 0, "forecast_category": ["name": "Pipeline"], "forecast_type": "Open", "deal_category": "Open",
            ]
        var map = known
        for key in ["display_value", "actual_value"] { map[key] = option[key] ?? option["display_value"] }
        map["sequence_number"] = .integer(sequence)
        return map
    }
}

/// The options of Deals' Pipeline field follow the pipelines.
package enum PipelineOptions {
    package static func add(_ name: String, _ scope: MetadataScope) throws {
        try change(scope) { values in
            guard !values.contains(where: { $0["display_value"]?.string == name }) else { return }
            values.append([
                "id": .id(scope.ids.next()), "display_value": .string(name), "actual_value": .string(name),
                "reference_value": .string(name),
                "sequence_number": .integer(values.count + 1),
            ])
        }
    }

    package static func rename(_ old: String, _ new: String, _ scope: MetadataScope) throws {
        try change(scope) { values in
            for index in values.indices where values[index]["display_value"]?.string == old {
                values[index]["display_value"] = .string(new)
            }
        }
        guard let module = scope.catalog.module("Deals"), let field = module.field("Pipeline") else { return }
        try PicklistReplaceJob.enqueue([(old, new)], field: field, of: module, scope)
    }

    package static func remove(_ name: String, _ scope: MetadataScope) throws {
        try change(scope) { values in values.removeAll { $0["display_value"]?.string == name } }
    }

    private static func change(_ scope: MetadataScope, _ body: (inout [JSONValue]) -> Void) throws {
        guard let field = scope.catalog.module("Deals")?.field("Pipeline") else { return }
        var values = field.body["pick_list_values"]?.array ?? []
        var changed = field.body
        body(&values)
        changed["pick_list_values"] = .array(values)
        try scope.replace(RecordID(raw: field.id.raw), body: changed)
    }
}
