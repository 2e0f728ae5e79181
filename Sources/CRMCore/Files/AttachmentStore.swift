import Metadata
import SQLStore
import Wire

/// Attachments: records of a module of their own that hang on another record and hold one file, or a link.
package enum AttachmentStore {
    /// What an attachment is.
    package enum Content: Sendable {
        case file(FileLibrary.Kept)
        case link(url: String, title: String)
    }

    /// The same once a file has its row.
    enum Ready {
        case file(FileLibrary.Entry)
        case link(url: String, title: String)
    }

    /// The modules whose records carry attachments (`photos-and-attachments.md`), besides every custom one.
    private static let carriers: Set<String> = [
        "Leads", "Accounts", "Contacts", "Deals", "Campaigns", "Tasks", "Cases", "Events", "Calls", "Solutions", "Products", "Vendors",
        "Price_Books",
        "Quotes", "Sales_Orders", "Purchase_Orders", "Invoices", "Appointments__s", "Services__s", "Notes",
    ]

    /// The module of an attachment path, and that of the attachments themselves.
    package static func modules(_ name: String, _ catalog: Catalog) throws(Rejection) -> (carrier: Module, attachments: Module) {
        guard let carrier = catalog.module(name), carrier.table != nil,
            carriers.contains(carrier.apiName) || carrier.generatedType == "custom",
            let attachments = catalog.module("Attachments")
        else { throw .invalidModule() }
        return (carrier, attachments)
    }

    package static func add(
        _ content: Content, to parent: RecordID, of carrier: Module, _ attachments: Module, _ files: FileLibrary, _ records: RecordStore,
        _ scope: WriteScope
    ) throws -> Record {
        let ready: Ready =
            switch content {
            case .file(let kept): .file(try files.register(kept, owner: scope.access.user, held: true, scope.tx))
            case .link(let url, let title): .link(url: url, title: title)
            }
        return try add(ready, to: parent, of: carrier, attachments, records, scope)
    }

    static func add(
        _ content: Ready, to parent: RecordID, of carrier: Module, _ attachments: Module, _ records: RecordStore, _ scope: WriteScope
    ) throws -> Record {
        let row = try self.parent(parent, of: carrier, for: .edit, scope)
        var record = Record(attachments, id: scope.ids.next())
        if let field = attachments.field("Parent_Id") { record.set(field, to: [.integer(parent.raw), .integer(carrier.id.raw)]) }
        var held = FieldFiles.New(record: record.id, field: FieldFiles.wholeRecord, file: nil)
        switch content {
        case .file(let file):
            record["File_Name"] = .text(file.name)
            record["Size"] = .integer(file.size)
            held = FieldFiles.New(record: record.id, field: FieldFiles.wholeRecord, file: file.id)
        case .link(let url, let title):
            record["File_Name"] = .text(title)
            held.link = url
        }
        try FieldFiles.add([held], scope)
        let added = try records.add(record, scope)
        try log(added, .attached, on: row, scope)
        return added
    }

    /// Removes attachments of a record for good: their module has no recycle bin.
    package static func delete(
        _ ids: [RecordID], of parent: RecordID, _ carrier: Module, _ attachments: Module, _ scope: WriteScope
    ) throws -> [Result<RecordID, Rejection>] {
        try scope.access.require(.delete, attachments)
        let row = try self.parent(parent, of: carrier, for: .edit, scope)
        let rows = try Planner(scope.catalog, scope.access).rows(ids, of: attachments, for: .delete, scope.tx)
        var going: [Record] = []
        let outcomes = ids.enumerated().map { index, id -> Result<RecordID, Rejection> in
            guard let found = rows[id], hangs(found, on: parent, carrier), !going.contains(where: { $0.id == id }) else {
                let unknown = Rejection(.invalidData, message: "the id given seems to be invalid", .id(id))
                return .failure(rows[id] == nil ? rows.refusal(of: id, else: unknown) : unknown)
            }
            going.append(found)
            return .success(id)
        }
        guard !going.isEmpty else { return outcomes }
        try Graves.bury(going, as: .permanent, scope)
        try ChangeLog.append(going.map { .init(record: $0, kind: .deleted) }, scope)
        for record in going { try log(record, .detached, on: row, scope) }
        return outcomes
    }

    private static func hangs(_ attachment: Record, on parent: RecordID, _ carrier: Module) -> Bool {
        guard let field = attachment.module.field("Parent_Id") else { return false }
        return Array(attachment.columns(of: field)) == [.integer(parent.raw), .integer(carrier.id.raw)]
    }

    /// The record in the path, which must be there for the caller and in no merge.
    static func parent(_ id: RecordID, of module: Module, for operation: RecordOperation, _ scope: WriteScope) throws -> Record {
        try scope.access.require(operation, module)
        let rows = try Planner(scope.catalog, scope.access).rows([id], of: module, for: operation, scope.tx)
        guard let row = rows[id] else { throw rows.refusal(of: id, else: .invalidPathID(1)) }
        if row.heldByMerge != nil { throw Rejection(.recordLocked, .resourcePathIndex(1)) }
        if operation == .edit, row.isConverted {
            throw Rejection(.convertedRecord, message: "can't update the converted record", .resourcePathIndex(1))
        }
        return row
    }

    private static func log(_ attachment: Record, _ kind: ChangeLog.Kind, on parent: Record, _ scope: WriteScope) throws {
        let what: JSONValue = ["id": .id(attachment.id), "name": attachment["File_Name"].json]
        try ChangeLog.append([.init(record: parent, kind: kind, after: what)], scope)
    }
}

extension AttachmentStore {
    /// What an attachment's answer holds besides its fields.
    package struct Details: Sendable {
        package let token: String?
        package let mediaType: String?
        package let link: String?
    }

    package static func details(of attachments: [RecordID], _ services: Services) async throws -> [RecordID: Details] {
        guard !attachments.isEmpty else { return [:] }
        return try await services.database.run(.read) { tx in
            var found: [RecordID: Details] = [:]
            try tx.forEach(
                """
                SELECT h.record_id, f.token, f.content_type, h.link_url FROM sys_field_file h LEFT JOIN sys_file f ON f.id = h.file_id
                WHERE \(.memberIDs("h.record_id", attachments.map(\.raw))) AND h.field_id = 0 AND h.dropped_by IS NULL
                """
            ) { row in found[RecordID(raw: row.integer(0) ?? 0)] = Details(token: row.text(1), mediaType: row.text(2), link: row.text(3)) }
            return found
        }
    }
}
