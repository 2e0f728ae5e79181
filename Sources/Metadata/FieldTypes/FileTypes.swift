import Wire

extension FieldType {
    /// Files, and images with a description. They stand in rows of their own; writes of them are read where records are written.
    static let fileUpload = files("fileupload", .files)
    static let imageUpload = files("imageupload", .images)

    private static func files(_ dataType: String, _ cell: CellForm) -> FieldType {
        FieldType(dataType: dataType, storage: [], cell: cell, comparison: .none) {
            (_: JSONCursor, _: Field, _: Catalog) throws(Rejection) in .null
        }
    }
}
