import Metadata
import Wire

/// A custom module as the documents it consists of: itself, its fields, a layout, views and related lists.
struct NewModule {
    let apiName: String
    let plural: String
    let singular: String
    let number: Int
    let profiles: [Document]
    let display: DisplayField

    private var internalName: String { "CustomModule\(number)" }

    func write(_ scope: MetadataScope) throws -> RecordID {
        let id = scope.ids.next()
        let template = try ModuleTemplate(.custom, words: ["singular_label": singular])
        let fields = template.fields.map { $0["display_field"]?.bool == true ? display.applied(to: $0) : $0 }
        try scope.add(.module, apiName, body(id, scope), id: id)
        try scope.add(
            fields.map { field in
                Document(
                    id: scope.ids.next(), kind: .field, parent: id, apiName: field["api_name"]?.string,
                    body: PicklistValues.withIDs(template.stored(field), scope.ids))
            })
        try scope.add(.layout, "Standard__s", layout(fields, scope), parent: id)
        try scope.add(
            views.map { Document(id: scope.ids.next(), kind: .customView, parent: id, apiName: $0["system_name"]?.string, body: $0) })
        try scope.add(
            ModuleTemplate.relatedLists(of: apiName).map { list in
                Document(id: scope.ids.next(), kind: .relatedList, parent: id, apiName: list["api_name"]?.string, body: list)
            })
        try ModulePermissions(suffix: internalName).grant(to: Set(profiles.map(\.id)), scope)
        return id
    }

    private func body(_ id: RecordID, _ scope: MetadataScope) -> JSONValue {
        let last = scope.catalog.modules.compactMap { $0.body["sequence_number"]?.int64 }.max() ?? 0
        return [
            "api_name": .string(apiName), "module_name": .string(internalName), "singular_label": .string(singular),
            "plural_label": .string(plural),
            "actual_singular_label": .string(singular), "actual_plural_label": .string(plural), "generated_type": "custom",
            "sequence_number": .integer(last + 1), "global_search_supported": true, "recycle_bin_on_delete": true,
            "presence_sub_menu": true,
            "lookupable": true, "isBlueprintSupported": true, "sub_menu_available": true, "editable": true, "quick_create": true,
            "feeds_required": true,
            "profiles": .array(profiles.map(ProfileReferences.short)), "profile_count": .integer(profiles.count),
            "modified_by": scope.actor,
            "modified_time": scope.time, "table": .string(PhysicalName.table(of: apiName, number: id.raw)),
            "other_version_flags": [
                "inventory_template_supported": false, "triggers_supported": true, "emailTemplate_support": true,
                "webform_supported": false,
                "scoring_supported": true, "filter_supported": true,
            ],
        ]
    }

    /// One section for each that the fields name, in their order.
    private func layout(_ fields: [JSONValue], _ scope: MetadataScope) -> JSONValue {
        var names: [String] = []
        for name in fields.compactMap({ $0["section"]?.string }) where !names.contains(name) { names.append(name) }
        let sections = names.enumerated().map { index, name -> JSONValue in
            let members = fields.filter { $0["section"]?.string == name }.enumerated().map { index, field -> JSONValue in
                [
                    "api_name": field["api_name"] ?? .null, "sequence_number": .integer(index + 1),
                    "required": field["required_in_standard_layout"] ?? false,
                ]
            }
            return LayoutSection.body(
                name: name, label: name, columns: members.count > 1 ? 2 : 1, sequence: index + 1, generated: "default", fields: members)
        }
        return LayoutSection.standardLayout(sections, profiles)
    }

    private var views: [JSONValue] {
        func view(_ name: String, _ system: String, isDefault: Bool = false, _ criteria: JSONValue = .null) -> JSONValue {
            [
                "display_value": .string(name), "name": .string(name), "system_name": .string(system), "system_defined": true,
                "default": .bool(isDefault),
                "category": "public_views", "criteria": criteria, "fields": ["Name", "Email", "Owner"], "sort_by": .null,
                "sort_order": .null,
                "favorite": .null, "access_type": "public", "locked": false,
            ]
        }
        let mine: JSONValue = ["field": ["api_name": "Owner"], "comparator": "equal", "type": "value", "value": "${CURRENTUSER}"]
        return [
            view("All \(plural)", "ALLVIEWS", isDefault: true), view("My \(plural)", "MYVIEWS", mine),
            view("Recently Created \(plural)", "RECENTLYCREATED"),
            view("Recently Modified \(plural)", "RECENTLYMODIFIED"), view("Unread \(plural)", "UNREADVIEWS"),
        ]
    }
}

/// The stored form of layouts and their sections.
enum LayoutSection {
    static func body(name: String, label: String, columns: Int, sequence: Int, generated: String, fields: [JSONValue]) -> JSONValue {
        [
            "name": .string(name), "display_label": .string(label), "api_name": .string(name), "type": "used",
            "generated_type": .string(generated),
            "column_count": .integer(columns), "isSubformSection": false, "tab_traversal": "left_to_right", "mode": "default_create",
            "sequence_number": .integer(sequence), "fields": .array(fields),
        ]
    }

    static func standardLayout(_ sections: [JSONValue], _ profiles: [Document]) -> JSONValue {
        [
            "name": "Standard", "api_name": "Standard__s", "display_label": "Standard", "generated_type": "system", "status": "active",
            "visible": true,
            "source": "crm", "show_business_card": true,
            "actions_allowed": [
                "edit": true, "rename": true, "clone": true, "downgrade": false, "delete": false, "deactivate": false,
                "set_layout_permissions": true,
            ],
            "profiles": .array(profiles.map { $0.body["name"] ?? .null }), "sections": .array(sections),
        ]
    }
}
