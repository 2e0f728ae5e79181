import Metadata

/// The record module that rows of a subform or a linking module belong to.
package enum BulkOwner {
    /// `nil` for modules of records.
    package static func of(_ module: Module, _ catalog: Catalog) -> (owner: Module, rows: RowField)? {
        guard module.isSubform || module.generatedType == "linking" else { return nil }
        for owner in catalog.modules where owner.table != nil && owner.id != module.id {
            if let rows = owner.rowFields(catalog).first(where: { $0.module.id == module.id }) { return (owner, rows) }
        }
        return nil
    }
}
