/// Words of the system that name nothing an organisation makes. The contract lists examples only (`modules.md`, U3;
/// `fields.md`, U6): these are its examples, the first words of our own paths, and the words of the query language.
enum ReservedWords {
    /// Refused as a module's label.
    static let labels: Set<String> = [
        "role", "roles", "profile", "profiles", "forecast", "forecasts", "approval", "approvals", "organization", "organizations",
        "salesinbox",
        "user", "users", "setting", "settings", "group", "groups", "territory", "territories", "feed", "feeds", "home", "report", "reports",
        "dashboard", "dashboards", "analytics", "document", "documents", "module", "modules", "layout", "layouts",
    ]

    /// Refused as a module's API name.
    static let modules: Set<String> = shared.union([
        "settings", "signals", "notes", "status", "quoted_items", "ordered_items", "purchase_items", "invoiced_items", "converted_account",
        "converted_contact", "converted_deal", "activities", "attachments", "users", "org", "coql", "files", "functions", "upload",
        "actions",
        "potentials", "bulk", "attachments", "emails", "tags",
    ])

    /// Refused as a field's API name.
    static let fields: Set<String> = shared.union([
        "id", "se_module", "tag", "layout", "parent_id", "modified_by", "created_by", "exchange_rate",
    ])

    private static let shared: Set<String> = [
        "select", "from", "where", "and", "or", "not", "in", "like", "between", "is", "null", "limit", "offset",
    ]
}
