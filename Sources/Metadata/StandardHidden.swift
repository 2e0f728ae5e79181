import Wire

/// What records keep besides their documented fields: the taxes on a whole document, and whether an event is called off.
package enum StandardHidden {
    private static let documents = ["Quotes", "Sales_Orders", "Purchase_Orders", "Invoices"]

    package static func fields(of module: String) -> [JSONValue] {
        if documents.contains(module) { return [field("$line_tax", "Line Tax", "linetax", "jsonarray")] }
        guard module == "Events" else { return [] }
        var cancelled = field("$event_cancelled", "Event Cancelled", "boolean", "boolean")
        cancelled["operation_type"] = ["web_update": false, "api_create": false, "web_create": false, "api_update": false]
        return [cancelled]
    }

    private static func field(_ name: String, _ label: String, _ dataType: String, _ json: String) -> JSONValue {
        [
            "api_name": .string(name), "field_label": .string(label), "display_label": .string(label), "data_type": .string(dataType),
            "json_type": .string(json), "sortable": false, "filterable": false, "searchable": false, "listed": false,
        ]
    }

    /// A body with the columns of the module's table.
    package static func stored(_ field: JSONValue) -> JSONValue { PhysicalName.withColumns(field, [:]) }

    /// Services hold taxes of the organisation, not options of a picklist.
    static func taxed(_ field: JSONValue, of module: String) -> JSONValue {
        guard module == "Services__s", field["api_name"]?.string == "Tax" else { return field }
        var field = field
        field["holds_taxes"] = true
        return field
    }
}
