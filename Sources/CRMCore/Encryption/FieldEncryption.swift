import Metadata
import SQLStore
import Wire

/// Turns the encryption of a field on or off, or moves it to the newest key. What that means for the stored body; the values follow
/// by a job.
struct FieldEncryption {
    let field: Field
    let module: Module
    let scope: MetadataScope

    /// The change of a field that is there. `body` is its stored body.
    func turn(on: Bool, _ body: inout JSONValue, at path: JSONPath) throws {
        switch (field.cipher, on) {
        case (nil, false): return
        case (nil, true):
            let vault = try Self.vault(scope.catalog, at: path)
            try requireFree(body, at: path)
            setColumns([try newColumn(.text)] + field.columns, &body)
            set(.sealing, vault.newest, &body)
        case (let cipher?, _) where cipher.state != .sealed:
            throw Rejection(.notAllowed, message: "encryption of the field is in progress", .apiName("crypt"), .jsonPath(path))
        case (let cipher?, false):
            setColumns(field.columns + [try newColumn(field.plainType)], &body)
            set(.opening, cipher.key, &body)
        case (let cipher?, true):
            let vault = try Self.vault(scope.catalog, at: path)
            guard vault.newest != cipher.key else { return }
            set(.rotating, vault.newest, former: cipher.key, &body)
        }
        try EncryptionJob.enqueue(field, module, scope)
    }

    /// What a new field says that is encrypted from the start.
    static func start(_ body: inout JSONValue, _ catalog: Catalog, at path: JSONPath) throws(Rejection) {
        body["crypt"] = ["mode": "encryption", "status": 1]
        body["encryption"] = FieldCipher.facts(.sealed, key: try vault(catalog, at: path).newest)
        unsearched(&body)
    }

    /// Part of the change that ends a job.
    func finish(_ cipher: FieldCipher) throws {
        var body = field.body
        switch cipher.state {
        case .sealed: return
        case .sealing, .rotating:
            setColumns([field.columns[0]], &body)
            body["crypt"] = ["mode": "encryption", "status": 1]
            body["encryption"] = FieldCipher.facts(.sealed, key: cipher.key)
        case .opening:
            setColumns([field.columns[1]], &body)
            body["crypt"] = .null
            body = .object((body.members ?? []).filter { $0.name != "encryption" })
            for key in ["sortable", "searchable"] { body[key] = body["filterable"] ?? true }
        }
        let kept = (body["columns"]?.array ?? []).compactMap(\.string)
        try scope.replace(RecordID(raw: field.id.raw), body: body)
        if let table = module.table {
            let left = field.columns.filter { !kept.contains($0.raw) }
            if !left.isEmpty { try Compaction.note(table, left, field.apiName, scope) }
        }
    }

    private static func vault(_ catalog: Catalog, at path: JSONPath) throws(Rejection) -> FieldVault {
        guard let vault = catalog.vault else {
            throw Rejection(
                .notSupported, message: "the server has no encryption key", status: 403, .apiName("crypt"), .jsonPath(path))
        }
        return vault
    }

    /// Nothing may need to look into the values of an encrypted field.
    private func requireFree(_ body: JSONValue, at path: JSONPath) throws {
        guard field.custom, !field.isExternal else { throw Rejection(.notSupported, status: 403, .apiName("crypt"), .jsonPath(path)) }
        guard let use = FieldUse(field, module, scope.catalog).first else { return }
        throw Rejection(.notAllowed, .apiName("crypt"), .jsonPath(path), .other("used_in", .string(use)))
    }

    private func newColumn(_ type: FieldType) throws -> ColumnName {
        let name = PhysicalName.columns(of: field.apiName, type, number: scope.ids.next().raw).first
        guard let column = name.flatMap(ColumnName.init(checked:)) else { throw Rejection(.internalError) }
        return column
    }

    private func setColumns(_ columns: [ColumnName], _ body: inout JSONValue) {
        body["columns"] = .array(columns.map { .string($0.raw) })
    }

    private func set(_ state: FieldCipher.State, _ key: String, former: String? = nil, _ body: inout JSONValue) {
        body["crypt"] = ["mode": state == .opening ? "decryption" : "encryption", "status": 2]
        body["encryption"] = FieldCipher.facts(state, key: key, former: former)
        if state == .sealing { Self.unsearched(&body) }
    }

    private static func unsearched(_ body: inout JSONValue) { for key in ["sortable", "searchable"] { body[key] = false } }
}
