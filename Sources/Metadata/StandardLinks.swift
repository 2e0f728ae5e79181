import Wire

/// The linking modules behind the standard many-to-many related lists. The metadata files name them only in passing
/// (`related_lists.json`, "via"); as linking modules they obey the same rules as those a user makes.
enum StandardLinks {
    private struct Link {
        let name: String
        let left: (field: String, module: String)
        /// Several modules make the lookup one into any module.
        let right: (field: String, modules: [String])
        /// The multi-user lookup on the left side that shows the link.
        var shownBy: String?
        var own: [(field: String, dataType: String, length: Int)] = []
    }

    private static let links: [Link] =
        ["Leads", "Accounts", "Contacts", "Deals", "Price_Books"].map { module in
            Link(
                name: "\(module)_X_Products", left: ("Parent", module), right: ("Product", ["Products"]),
                own: module == "Price_Books" ? [("list_price", "currency", 16)] : [])
        } + [
            Link(
                name: "Campaign_Members", left: ("Campaign", "Campaigns"), right: ("Member", ["Leads", "Contacts"]),
                own: [("Member_Status", "text", 120)]),
            Link(name: "Cases_X_Solutions", left: ("Case", "Cases"), right: ("Solution", ["Solutions"])),
            Link(name: "Services_X_Users", left: ("Service", "Services__s"), right: ("Members", ["Users"]), shownBy: "Members"),
            Link(name: "Contact_Roles", left: ("Deal", "Deals"), right: ("Contact", ["Contacts"]), own: [("Contact_Role", "bigint", 19)]),
        ]

    static func module(named name: String) -> JSONValue? { links.first { $0.name == name }.map(module) }
    static var modules: [JSONValue] { links.map(module) }

    static func fields(of name: String) -> [JSONValue]? {
        guard let link = links.first(where: { $0.name == name }) else { return nil }
        let right = link.right.modules.count == 1 ? link.right.modules[0] : "se_module"
        var fields: [JSONValue] = [
            field("id", "bigint", 18), lookup(link.left.field, link.left.module, sides: [link.left.module]),
            lookup(link.right.field, right, sides: link.right.modules),
        ]
        if right == "Users" { fields[2]["data_type"] = "userlookup" }
        fields += link.own.map { field($0.field, $0.dataType, $0.length, writable: true) }
        fields += [
            field("Created_By", "ownerlookup", 120), field("Modified_By", "ownerlookup", 120), field("Created_Time", "datetime", 120),
            field("Modified_Time", "datetime", 120),
        ]
        return fields
    }

    /// A field as the seed has it, with the link behind it if it is one of those that show links.
    static func connected(_ field: JSONValue, of module: String) -> JSONValue {
        guard let link = links.first(where: { $0.left.module == module && $0.shownBy != nil && $0.shownBy == field["api_name"]?.string })
        else { return field }
        var field = field
        field["multiuserlookup"] = [
            "api_name": .string(link.name), "display_label": .string(link.name), "linking_module": ["api_name": .string(link.name)],
            "connected_module": ["api_name": "Users"], "lookup_apiname": .string(link.left.field),
            "connectedlookup_apiname": .string(link.right.field),
            "connectedfield_apiname": .null, "record_access": false,
        ]
        return field
    }

    private static func module(_ link: Link) -> JSONValue {
        [
            "api_name": .string(link.name), "module_name": .string(link.name), "singular_label": .string(link.name),
            "plural_label": .string(link.name), "generated_type": "linking", "api_supported": .bool(link.name == "Contact_Roles"),
            "status": "system_hidden", "visibility": 0, "listed": false, "creatable": false, "editable": false, "deletable": false,
            "show_as_tab": false, "sequence_number": .null,
        ]
    }

    private static func field(_ name: String, _ dataType: String, _ length: Int, writable: Bool = false) -> JSONValue {
        [
            "api_name": .string(name), "field_label": .string(name), "display_label": .string(name), "data_type": .string(dataType),
            "length": .integer(Int64(length)),
            "operation_type": [
                "web_update": .bool(writable), "api_create": .bool(writable), "web_create": .bool(writable), "api_update": .bool(writable),
            ],
        ]
    }

    private static func lookup(_ name: String, _ module: String, sides: [String]) -> JSONValue {
        var body = field(name, "lookup", 120, writable: true)
        body["lookup"] = ["module": ["api_name": .string(module)]]
        body["link_side"] = true
        body["link_sides"] = .array(sides.map(JSONValue.string))
        return body
    }
}
