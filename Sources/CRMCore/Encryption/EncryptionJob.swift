import Metadata
import SQLStore
import Wire

/// Brings what is stored of a field into the form its encryption says: rows, then the change log, then the graves. Each step finds what
/// is left by looking, so that a job which starts again goes on. What is written meanwhile is in its new form already.
package struct EncryptionJob: JobHandler {
    package static let kind = "field_encryption"
    private static let batch: Int64 = 500

    package init() {}

    static func enqueue(_ field: Field, _ module: Module, _ scope: MetadataScope) throws {
        try JobQueue.enqueue(
            kind, ["module": .integer(module.id.raw), "field": .integer(field.id.raw)], id: scope.ids.next(), at: scope.now, scope.tx)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        for step in [EncryptionStep.rows, .log, .graves] {
            var last: Int64? = 0
            while let after = last {
                try Task.checkCancellation()
                let catalog = services.catalog.current()
                guard let work = EncryptionWork(job, catalog) else { return }
                let access = AccessPolicy.system("what is stored of a field is encrypted or decrypted")
                last = try await services.write(catalog, access, .job, group: job.id) { scope in
                    try work.run(step, after: after, limit: Self.batch, scope)
                }
            }
        }
        try await services.changeMetadata { scope in
            guard let work = EncryptionWork(job, scope.catalog) else { return }
            try FieldEncryption(field: work.field, module: work.module, scope: scope).finish(work.cipher)
        }
    }
}

/// The places where values of a field are kept.
enum EncryptionStep: Sendable { case rows, log, graves }

/// The field of a job, as one catalog has it; `nil` when there is nothing to do any more.
struct EncryptionWork {
    let module: Module
    let field: Field
    let cipher: FieldCipher

    init?(_ job: Job, _ catalog: Catalog) {
        guard let module = catalog.whole.module(id: ModuleID(raw: job.payload["module"]?.int64 ?? 0)),
            let field = module.field(FieldID(raw: job.payload["field"]?.int64 ?? 0)), let cipher = field.cipher, cipher.state != .sealed
        else { return nil }
        self.module = module
        self.field = field
        self.cipher = cipher
    }

    /// Where the next batch goes on; `nil` when this was the last.
    func run(_ step: EncryptionStep, after: Int64, limit: Int64, _ scope: WriteScope) throws -> Int64? {
        switch step {
        case .rows: try rows(after, limit, scope)
        case .log: try log(after, limit * 10, scope)
        case .graves: try graves(after, limit, scope)
        }
    }

    private func rows(_ after: Int64, _ limit: Int64, _ scope: WriteScope) throws -> Int64? {
        guard let table = module.table else { return nil }
        // Whichever column is to be empty in the end.
        let left: SQL =
            switch cipher.state {
            case .sealing: "\(field.columns[1]) IS NOT NULL"
            case .opening: "\(field.columns[0]) IS NOT NULL"
            case .sealed, .rotating:
                "\(field.columns[0]) IS NOT NULL AND NOT \(.startsFolded("\(field.columns[0])", "\(FieldVault.mark)\(cipher.key):"))"
            }
        let ids = try scope.tx.rows(
            "SELECT id FROM \(table) WHERE id > \(.integer(after)) AND \(left) ORDER BY id LIMIT \(.integer(limit))"
        ) { RecordID(raw: $0.integer(0) ?? 0) }
        guard let last = ids.last else { return nil }
        let found = try Planner(scope.catalog, scope.access).rows(ids, of: module, for: .view, scope.tx)
        // Each row has a value of its own; a batch bounds how many.
        for before in found.values.sorted(by: { $0.id < $1.id }) {
            var after = before
            after[field] = before[field]
            try RecordStore.update(after, from: before, table, scope)
        }
        // The texts of an encrypted field are not searched, those of another are.
        if module.isSearched {
            let ids = found.values.map(\.id)
            try SearchIndex.remove(ids, scope.tx)
            try SearchIndex.add(Array(found.values), scope.tx)
        }
        return last.raw
    }

    private func log(_ after: Int64, _ limit: Int64, _ scope: WriteScope) throws -> Int64? {
        let end = try scope.tx.first("SELECT max(sequence) FROM sys_change") { $0.integer(0) ?? 0 } ?? 0
        guard after < end else { return nil }
        let entries = try scope.tx.rows(
            """
            SELECT sequence, before, after FROM sys_change WHERE sequence > \(.integer(after)) AND sequence <= \(.integer(after + limit)) \
            AND module_id = \(.integer(module.id.raw)) ORDER BY sequence
            """
        ) { ($0.integer(0) ?? 0, $0.text(1), $0.text(2)) }
        for (sequence, before, after) in entries {
            let (old, new) = (try rewritten(before), try rewritten(after))
            guard old != before || new != after else { continue }
            try scope.tx.execute(
                "UPDATE sys_change SET before = \(SQLValue(old)), after = \(SQLValue(new)) WHERE sequence = \(.integer(sequence))")
        }
        return after + limit
    }

    private func graves(_ after: Int64, _ limit: Int64, _ scope: WriteScope) throws -> Int64? {
        let found = try scope.tx.rows(
            """
            SELECT id, image FROM sys_grave WHERE id > \(.integer(after)) AND module_id = \(.integer(module.id.raw)) \
            ORDER BY id LIMIT \(.integer(limit))
            """
        ) { ($0.integer(0) ?? 0, $0.text(1)) }
        for (id, image) in found {
            let new = try rewritten(image)
            if new != image { try scope.tx.execute("UPDATE sys_grave SET image = \(SQLValue(new)) WHERE id = \(.integer(id))") }
        }
        return found.last?.0
    }

    /// Entries of the log name fields by id, images of rows by column.
    private func rewritten(_ text: String?) throws -> String? {
        guard let text, case .object(var members)? = try? JSONValue.parse(text) else { return text }
        let names = field.columns.map(\.raw)
        var changed = false
        if let index = members.firstIndex(where: { $0.name == String(field.id.raw) }), !members[index].value.isNull {
            let plain = cipher.read(logged: members[index].value)
            members[index].value = cipher.logged(SQLValue(plain, as: cipher.plain.storage.first ?? .text)).json
            changed = true
        }
        let held = names.compactMap { name in members.first { $0.name == name }?.value }.first { !$0.isNull }
        if let held {
            let plain = SQLValue(cipher.read(logged: held), as: cipher.plain.storage.first ?? .text)
            members.removeAll { names.contains($0.name) }
            for (name, value) in zip(names, cipher.columns(of: plain)) where !value.isNull { members.append(.init(name, value.json)) }
            changed = true
        }
        return changed ? JSONValue.object(members).text : text
    }
}
