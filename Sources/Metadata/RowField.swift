import Wire

/// A field whose value is rows of another module: a subform's, or those of the linking module behind a multi-select or
/// multi-user lookup.
package struct RowField: Sendable {
    package enum Kind: Sendable {
        case subform
        /// Each row joins the record to what this lookup of the linking module holds.
        case link(theirs: Field)
    }

    /// Rows one record may have in a field (`endpoints/subforms.md`; multi-select lookups show as many).
    package static let limit = 100

    package let field: Field
    /// Where the rows live.
    package let module: Module
    /// The lookup of a row that holds the record it belongs to.
    package let parent: Field
    package let kind: Kind

    package init?(_ field: Field, _ catalog: Catalog) {
        self.field = field
        switch field.type.dataType {
        case "subform":
            let name = field.body["subform"]?["module"]?["api_name"]?.string ?? field.body["associated_module"]?["module"]?.string
            guard let module = name.flatMap({ catalog.module($0) }), module.table != nil, let parent = module.field("Parent_Id") else {
                return nil
            }
            self.module = module
            self.parent = parent
            kind = .subform
        case "multiselectlookup", "multiuserlookup":
            let facet = field.body[field.type.dataType]
            guard let module = (facet?["linking_module"]?["api_name"]?.string).flatMap({ catalog.module($0) }), module.table != nil,
                let parent = (facet?["lookup_apiname"]?.string).flatMap({ module.field($0) }),
                let theirs = (facet?["connectedlookup_apiname"]?.string).flatMap({ module.field($0) })
            else { return nil }
            self.module = module
            self.parent = parent
            kind = .link(theirs: theirs)
        default: return nil
        }
    }

    /// What a row shows inside its record. A link's own record is plain from where it stands.
    package var shownFields: [Field] {
        switch kind {
        case .subform: module.fields
        case .link(let theirs): module.fields.filter { $0 === theirs || $0.custom }
        }
    }
}

extension Module {
    /// The fields of a record whose values are rows elsewhere.
    package func rowFields(_ catalog: Catalog) -> [RowField] {
        fields.compactMap { $0.columns.isEmpty ? RowField($0, catalog) : nil }
    }

    /// Whether rows of this module are written through the record they belong to only.
    package var isSubform: Bool { generatedType == "subform" }
}
