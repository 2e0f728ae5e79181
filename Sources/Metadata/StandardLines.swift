import Wire

/// What inventory documents keep besides their documented fields: `$line_tax`, the taxes on the whole document.
enum StandardLines {
    static func fields(of module: String) -> [JSONValue] {
        guard ["Quotes", "Sales_Orders", "Purchase_Orders", "Invoices"].contains(module) else { return [] }
        return [
            [
                "api_name": "$line_tax", "field_label": "Line Tax", "display_label": "Line Tax", "data_type": "linetax",
                "json_type": "jsonarray",
                "sortable": false, "filterable": false, "searchable": false, "listed": false,
            ]
        ]
    }

    /// Services hold taxes of the organisation, not options of a picklist.
    static func taxed(_ field: JSONValue, of module: String) -> JSONValue {
        guard module == "Services__s", field["api_name"]?.string == "Tax" else { return field }
        var field = field
        field["holds_taxes"] = true
        return field
    }
}
