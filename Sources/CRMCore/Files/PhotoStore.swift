import Metadata
import SQLStore
import Wire

/// The one image of a record, held in its field of that type, and that of the organisation.
package enum PhotoStore {
    /// The modules with photos (`photos-and-attachments.md`), besides every custom one. Deals take them in the v7 SDKs.
    private static let carriers: Set<String> = ["Leads", "Contacts", "Accounts", "Products", "Vendors", "Deals"]

    package static func module(_ name: String, _ catalog: Catalog) throws(Rejection) -> Module {
        guard let module = catalog.module(name), module.table != nil, carriers.contains(module.apiName) || module.generatedType == "custom",
            field(of: module) != nil
        else { throw .invalidModule() }
        return module
    }

    static func field(of module: Module) -> Field? { module.fields.first { $0.type.dataType == "profileimage" } }

    /// Puts an image in place of the former one, or takes it away.
    package static func set(_ image: FileLibrary.Kept?, of id: RecordID, _ module: Module, _ files: FileLibrary, _ scope: WriteScope) throws
    {
        let row = try AttachmentStore.parent(id, of: module, for: .edit, scope)
        if row["Locked__s"].integer == 1 { throw Rejection(.recordLocked, message: "record is locked", .resourcePathIndex(1)) }
        guard let field = field(of: module), let table = module.table else { return }
        if scope.access.right(on: field) != .readWrite { throw Rejection.readOnlyField(at: JSONPath().appending(field.apiName)) }
        let former = try FieldFiles.held(by: [id], scope.tx)[id]?[field.id] ?? []
        if image == nil, former.isEmpty { return }
        try FieldFiles.remove(former, at: scope.now, scope.tx)
        var changed = row
        changed[field] = .null
        if let image {
            let file = try files.register(image, owner: scope.access.user, held: true, scope.tx)
            try FieldFiles.add([.init(record: id, field: field.id, file: file.id)], scope)
            changed[field] = .text(file.token)
        }
        changed["Modified_By"] = .integer(scope.access.user.raw)
        changed["Modified_Time"] = .integer(scope.now.milliseconds)
        changed["Last_Activity_Time"] = .integer(scope.now.milliseconds)
        try RecordStore.update(changed, from: row, table, scope)
        try ChangeLog.append([.change(from: row, to: changed)], scope)
    }

    /// Writes the organisation's image into its settings.
    package static func setOrganization(_ image: FileLibrary.Kept?, by user: UserID, _ services: Services) async throws {
        let files = services.files
        try await services.changeMetadata { scope in
            guard let org = scope.catalog.documents(.org).first else { return }
            var body = org.body
            body["photo_id"] = .null
            try FieldFiles.removeAll(of: [org.id], at: scope.now, scope.tx)
            if let image {
                let file = try files.register(image, owner: user, held: true, scope.tx)
                let write = WriteScope(
                    tx: scope.tx, catalog: scope.catalog, access: .system("the organisation's image", for: user), origin: .api,
                    now: scope.now,
                    group: scope.ids.next(), ids: scope.ids)
                try FieldFiles.add([.init(record: org.id, field: FieldFiles.wholeRecord, file: file.id)], write)
                body["photo_id"] = .string(file.token)
            }
            try scope.replace(org.id, body: body)
        }
    }
}
