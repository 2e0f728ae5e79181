import Wire

extension TestServer {
    /// Gives contacts a multi-select lookup Courses to products, which show it as Students. Returns how the linking module names its
    /// two lookups: the one to the contact and the one to the product.
    package func joinByField(_ token: String) async throws -> (mine: String, theirs: String) {
        let field: JSONValue = [
            "field_label": "Courses", "data_type": "multiselectlookup",
            "multiselectlookup": [
                "connected_details": ["module": ["api_name": "Products"], "field": ["field_label": "Students"]],
                "linking_details": ["module": ["plural_label": "Course Students"]],
            ],
        ]
        let path = "/crm/v7/settings/fields?module=Contacts"
        let made = await send("POST", path, ["fields": [field]], token: token)
        let fields = await send("GET", path, token: token).json?["fields"]?.array ?? []
        let facet = fields.first { $0["api_name"] == "Courses" }?["multiselectlookup"]
        guard let mine = facet?["lookup_apiname"]?.string, let theirs = facet?["connectedlookup_apiname"]?.string else {
            throw BenchFailure(description: "no field: \(made.text)")
        }
        return (mine, theirs)
    }
}
