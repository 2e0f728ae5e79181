import Metadata
import SQLStore
import Wire

/// Finds the file behind a place of a record. Whether the caller may see the record is asked first, by whoever calls.
package struct FileQueries: Sendable {
    private let services: Services

    package init(_ services: Services) { self.services = services }

    /// The file of an attachment, or its link; `nil` when it hangs on another record.
    package func attachment(_ id: RecordID) async throws -> (file: FileLibrary.Entry?, link: String?)? {
        let held = try await services.database.run(.read) { tx in
            try tx.first("SELECT file_id, link_url FROM sys_field_file WHERE record_id = \(id) AND field_id = 0 AND dropped_by IS NULL") {
                row in
                (row.integer(0).map(RecordID.init(raw:)), row.text(1))
            }
        }
        guard let (file, link) = held else { return nil }
        guard let file else { return (nil, link) }
        return (try await services.files.file(file), link)
    }

    /// Refused while a merge decides whose photo it will be.
    package func photo(of record: RecordID, _ module: Module) async throws -> FileLibrary.Entry? {
        guard let field = PhotoStore.field(of: module), let table = module.table else { return nil }
        let isHeld = try await services.database.run(.read) { tx in
            try tx.first("SELECT 1 FROM \(table) WHERE id = \(record) AND in_merge IS NOT NULL") { _ in true } ?? false
        }
        if isHeld { throw Rejection(.recordLocked, .resourcePathIndex(1)) }
        return try await file(where: "record_id = \(record) AND field_id = \(.integer(field.id.raw))")
    }

    /// A file of one of the record's fields, by its id inside the field.
    package func fieldFile(_ id: RecordID, of record: RecordID, _ fields: [Field]) async throws -> FileLibrary.Entry? {
        try await file(where: "id = \(id) AND record_id = \(record) AND \(.memberIDs("field_id", fields.map(\.id.raw)))")
    }

    private func file(where condition: SQL) async throws -> FileLibrary.Entry? {
        let id = try await services.database.run(.read) { tx in
            try tx.first("SELECT file_id FROM sys_field_file WHERE \(condition) AND dropped_by IS NULL") {
                $0.integer(0).map(RecordID.init(raw:))
            } ?? nil
        }
        guard let id else { return nil }
        return try await services.files.file(id)
    }
}
