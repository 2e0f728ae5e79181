import Wire

/// One settings item: a row of `sys_metadata`, understood by whoever owns the kind.
package struct Document: Sendable {
    package let id: RecordID
    package let kind: Kind
    package let parent: RecordID?
    package let apiName: String?
    package let body: JSONValue
    /// When its row was last written; `nil` while it has none.
    package let modifiedAt: Instant?

    package init(id: RecordID, kind: Kind, parent: RecordID? = nil, apiName: String? = nil, body: JSONValue, modifiedAt: Instant? = nil) {
        self.id = id
        self.kind = kind
        self.parent = parent
        self.apiName = apiName
        self.body = body
        self.modifiedAt = modifiedAt
    }

    /// What a document describes. New settings families add a kind beside their own code.
    package struct Kind: Sendable, Hashable, ExpressibleByStringLiteral {
        package let name: String
        package init(_ name: String) { self.name = name }
        package init(stringLiteral name: String) { self.name = name }
        package static let module: Kind = "module"
        package static let field: Kind = "field"
        package static let relatedList: Kind = "related_list"
        package static let layout: Kind = "layout"
        package static let profile: Kind = "profile"
        package static let role: Kind = "role"
        package static let pipeline: Kind = "pipeline"
        package static let customView: Kind = "custom_view"
        package static let contactRole: Kind = "contact_role"
        package static let currency: Kind = "currency"
        package static let tax: Kind = "tax"
        package static let user: Kind = "user"
        package static let org: Kind = "org"
        package static let globalPicklist: Kind = "global_picklist"
        package static let variable: Kind = "variable"
        package static let variableGroup: Kind = "variable_group"
        package static let userGroup: Kind = "user_group"
        package static let assignmentRule: Kind = "assignment_rule"
        package static let scoringRule: Kind = "scoring_rule"
        package static let territory: Kind = "territory"
        /// A column or table whose field or module is deleted; see `Compaction`.
        package static let retired: Kind = "retired"
        package static let mapDependency: Kind = "map_dependency"
        package static let duplicateCheck: Kind = "duplicate_check"
        /// Who may see records of a module beyond their owners; one for each module that says so.
        package static let dataSharing: Kind = "data_sharing"
        /// What the compact bodies of another kind leave out.
        package static let defaults: Kind = "defaults"
    }
}
