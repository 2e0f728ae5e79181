import CRMCore
import HTTPShell
import Metadata
import Wire

/// Completes stored metadata into answers: what the compact bodies leave out, ids, and the parts only ours to know taken away.
struct MetadataAnswers {
    let catalog: Catalog

    /// Keys of the stored form that are no part of an answer.
    private static let ours: Set<String> = [
        "columns", "table", "via", "section", "required_in_standard_layout", "present_when", "sequence_number", "link_side", "link_sides",
        "other_version_flags", "listed", "forecast_type", "of_field", "reverse_of", "encryption",
    ]

    func module(_ module: Module) -> JSONValue {
        var answer = completed(module.body, "module", keeping: ["sequence_number"])
        answer["id"] = .string(String(module.id.raw))
        answer["api_name"] = .string(module.apiName)
        if let parent = answer["parent_module"]?["api_name"]?.string, let found = catalog.module(parent) {
            answer["parent_module"] = reference(found)
        }
        return answer
    }

    /// A single module has more to say than a listed one.
    func moduleInFull(_ module: Module) -> JSONValue {
        var answer = self.module(module)
        let flags = module.body["other_version_flags"] ?? catalog.defaults(of: "module")["other_version_flags"] ?? [:]
        for member in flags.members ?? [] where member.name != "source" { answer[member.name] = member.value }
        answer["display_field"] = module.displayField.map { .string($0.apiName) } ?? .null
        answer["per_page"] = 10
        answer["properties"] = []
        answer["on_demand_properties"] = .null
        answer["search_layout_fields"] = .array(
            module.fields.filter { $0.body["searchable"]?.bool == true }.prefix(10).map { .string($0.apiName) })
        answer["lookup_field_properties"] = ["fields": []]
        answer["related_list_properties"] = ["sort_by": .null, "fields": [], "sort_order": .null]
        if let view = catalog.documents(.customView).first(where: { $0.parent?.raw == module.id.raw }) {
            answer["custom_view"] = self.view(view, inFull: true)
        }
        return answer
    }

    func field(_ field: Field, of module: Module) -> JSONValue {
        var answer = completed(field.body, "field")
        answer["id"] = .string(String(field.id.raw))
        answer["api_name"] = .string(field.apiName)
        if field.type.cell == .absent && field.apiName == "Tag" { answer["json_type"] = "jsonarray" }
        if let target = answer["lookup"]?["module"]?["api_name"]?.string, let found = catalog.module(target) {
            var lookup = answer["lookup"] ?? [:]
            lookup["module"] = reference(found)
            lookup["id"] = .string(String(field.id.raw))
            answer["lookup"] = lookup
        }
        if let modules = answer["multi_module_lookup"]?["modules"]?.array {
            var lookup = answer["multi_module_lookup"] ?? [:]
            lookup["modules"] = .array(modules.map { $0["api_name"]?.string.flatMap { catalog.module($0) }.map(reference) ?? $0 })
            answer["multi_module_lookup"] = lookup
        }
        for key in ["multiselectlookup", "multiuserlookup"] {
            guard var facet = answer[key], facet["linking_module"] != nil else { continue }
            for side in ["linking_module", "connected_module"] {
                if let found = facet[side]?["api_name"]?.string.flatMap({ catalog.module($0) }) { facet[side] = reference(found) }
            }
            answer[key] = facet
        }
        for key in ["associated_module", "subform"] {
            let name = answer[key]?["module"]?.string ?? answer[key]?["api_name"]?.string ?? answer[key]?["module"]?["api_name"]?.string
            guard let found = name.flatMap({ catalog.module($0) }) else { continue }
            answer[key] = ["module": .string(found.apiName), "id": .string(String(found.id.raw))]
        }
        answer["pick_list_values"] = .array((answer["pick_list_values"]?.array ?? []).map(pickListValue))
        let rights = Dictionary(
            (field.body["profiles"]?.array ?? []).map { ($0["id"]?.looseInt64 ?? 0, $0["permission_type"]) }, uniquingKeysWith: { $1 })
        answer["profiles"] = .array(
            catalog.documents(.profile).map {
                ["permission_type": (rights[$0.id.raw] ?? nil) ?? "read_write", "name": $0.body["name"] ?? .null, "id": .id($0.id)]
            })
        answer["layout_associations"] = .array(
            layouts(of: module).map {
                ["name": $0.body["name"] ?? .null, "id": .id($0.id), "api_name": $0.body["api_name"] ?? .null]
            })
        for (key, value) in Self.fieldConstants where answer[key] == nil { answer[key] = value }
        return answer
    }

    private static let fieldConstants: [(String, JSONValue)] = [
        ("multiselectlookup", [:]), ("multiuserlookup", [:]), ("rollup_summary", [:]), ("external", .null), ("crypt", .null),
        ("private", .null),
        ("tooltip", .null), ("history_tracking", .null), ("global_picklist", .null), ("created_time", .null), ("modified_time", .null),
        ("hipaa_compliance", .null), ("hipaa_compliance_enabled", false), ("enable_colour_code", false),
        ("colour_code_enabled_by_system", false),
        ("pick_list_values_sorted_lexically", false), ("separator", false), ("association_details", .null),
        ("quick_sequence_number", .null),
        ("blueprint_supported", true), ("customizable_properties", []),
        ("email_parser", ["fields_update_supported": true, "record_operations_supported": true]),
    ]

    private func pickListValue(_ value: JSONValue) -> JSONValue {
        var value = value
        for (key, standard) in [("type", "used"), ("colour_code", .null)] as [(String, JSONValue)] where value[key] == nil {
            value[key] = standard
        }
        if value["reference_value"] == nil { value["reference_value"] = value["actual_value"] ?? value["display_value"] ?? .null }
        if value["actual_value"] == nil { value["actual_value"] = value["display_value"] ?? .null }
        return value
    }

    func relatedList(_ list: RelatedList) -> JSONValue {
        var answer = completed(list.body, "related_list", keeping: ["sequence_number"])
        answer["id"] = .id(list.id)
        if let name = answer["module"]?["api_name"]?.string, let found = catalog.module(name) { answer["module"] = reference(found) }
        return answer
    }

    func layouts(of module: Module) -> [Document] { catalog.documents(.layout).filter { $0.parent?.raw == module.id.raw } }

    func layout(_ document: Document, of module: Module) -> JSONValue {
        var answer = document.body
        answer["id"] = .id(document.id)
        answer["profiles"] = .array(
            catalog.documents(.profile).enumerated().map { index, profile in
                let view: JSONValue = ["name": document.body["name"] ?? .null, "id": .id(document.id), "type": "layout"]
                return [
                    "default": .bool(index == 0), "name": profile.body["name"] ?? .null, "id": .id(profile.id), "_default_view": view,
                    "_default_assignment_view": view,
                ]
            })
        for key in ["created_by", "created_for", "created_time", "modified_by", "modified_time"] where answer[key] == nil {
            answer[key] = .null
        }
        answer["has_more_profiles"] = false
        answer["convert_mapping"] = convertMapping(answer["convert_mapping"] ?? .null)
        answer["sections"] = .array((answer["sections"]?.array ?? []).enumerated().map { section($1, number: $0, document, module) })
        return Self.without(Self.ours.subtracting(["sequence_number", "section"]), answer)
    }

    /// The layouts that records made of a lead get, with their ids.
    private func convertMapping(_ stored: JSONValue) -> JSONValue {
        guard let members = stored.members else { return .null }
        return .object(
            members.map { member in
                guard let target = catalog.module(member.name) else { return member }
                var mapped = member.value
                let layout = layouts(of: target).first { $0.body["name"] == mapped["name"] } ?? layouts(of: target).first
                mapped["id"] = layout.map { .id($0.id) } ?? .null
                if let fields = mapped["fields"]?.array {
                    mapped["fields"] = .array(
                        fields.map { entry in
                            guard let field = entry["api_name"]?.string.flatMap({ target.field($0) }) else { return entry }
                            return [
                                "api_name": .string(field.apiName), "field_label": .string(field.label),
                                "id": .string(String(field.id.raw)), "required": entry["required"] ?? false,
                            ]
                        })
                }
                return .init(member.name, mapped)
            })
    }

    private func section(_ body: JSONValue, number: Int, _ layout: Document, _ module: Module) -> JSONValue {
        var section = body
        // Unique within the layout, which is all a section's id is for.
        if section["id"] == nil { section["id"] = .string(String(layout.id.raw) + String(number + 1)) }
        section["properties"] = section["properties"] ?? .null
        section["fields"] = .array(
            (body["fields"]?.array ?? []).compactMap { entry in
                guard let field = entry["api_name"]?.string.flatMap({ module.field($0) }) else { return nil }
                var answer = self.field(field, of: module)
                answer["required"] = entry["required"] ?? false
                answer["sequence_number"] = entry["sequence_number"] ?? .null
                answer["section_id"] = .integer(number + 1)
                answer["default_value"] = .null
                answer["validation_rule"] = .null
                return answer
            })
        return section
    }

    func view(_ document: Document, inFull: Bool) -> JSONValue {
        var answer = document.body
        answer["id"] = .id(document.id)
        for key in ["created_by", "created_time", "modified_by", "modified_time", "last_accessed_time"] where answer[key] == nil {
            answer[key] = .null
        }
        let module = document.parent.flatMap { catalog.module(id: ModuleID(raw: $0.raw)) }
        func field(_ name: String?) -> JSONValue? {
            name.flatMap { module?.field($0) }.map { ["api_name": .string($0.apiName), "id": .string(String($0.id.raw))] }
        }
        answer["fields"] = .array((document.body["fields"]?.array ?? []).compactMap { field($0.string ?? $0["api_name"]?.string) })
        return inFull ? answer : Self.without(["criteria", "fields", "sort_by", "sort_order", "shared_to"], answer)
    }

    func reference(_ module: Module) -> JSONValue { ["api_name": .string(module.apiName), "id": .string(String(module.id.raw))] }

    private func completed(_ body: JSONValue, _ kind: String, keeping kept: Set<String> = []) -> JSONValue {
        var answer = body
        for member in catalog.defaults(of: kind).members ?? [] where answer[member.name] == nil { answer[member.name] = member.value }
        return Self.without(Self.ours.subtracting(kept), answer)
    }

    private static func without(_ names: Set<String>, _ value: JSONValue) -> JSONValue {
        .object((value.members ?? []).filter { !names.contains($0.name) })
    }
}
