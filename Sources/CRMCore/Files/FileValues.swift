import Metadata
import SQLStore
import Wire

/// File fields of a batch of changes: one question for all records and ids, then one statement for each kind of change.
enum FileValues {
    /// What stands in the database about the files that the changes name.
    struct Known {
        let held: FieldFiles.Held
        let uploaded: [String: FileLibrary.Entry]

        init(_ changes: [PendingChange], _ tx: Transaction) throws {
            held = try FieldFiles.held(by: changes.filter { $0.kind == .update }.map(\.after.id), tx)
            uploaded = try FileValues.uploaded(changes.flatMap { $0.files.flatMap { $0.added.map(\.token) } }, tx)
        }
    }

    /// Files that were uploaded, by the ids that callers have of them.
    static func uploaded(_ tokens: [String], _ tx: Transaction) throws -> [String: FileLibrary.Entry] {
        let tokens = Set(tokens).filter { !$0.utf8.contains(0) }.sorted()
        guard !tokens.isEmpty else { return [:] }
        let files = try tx.rows(
            "SELECT id, token, hash, size, name, content_type FROM sys_file WHERE \(.memberTexts("token", tokens))"
        ) { row in
            ContentHash(row.text(2) ?? "").map {
                FileLibrary.Entry(
                    id: RecordID(raw: row.integer(0) ?? 0), token: row.text(1) ?? "", hash: $0, size: row.integer(3) ?? 0,
                    name: row.text(4) ?? "", mediaType: row.text(5) ?? "")
            }
        }.compactMap { $0 }
        return Dictionary(files.map { ($0.token, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Carries resolved edits out and logs what each field held and holds.
    static func apply(_ changes: [PendingChange], _ scope: WriteScope) throws {
        var logged: [ChangeLog.Entry] = []
        for change in changes {
            for edits in change.resolvedFiles where !edits.removed.isEmpty || !edits.added.isEmpty {
                try FieldFiles.remove(edits.removed, at: scope.now, scope.tx)
                let new = edits.added.enumerated().map { index, added in
                    FieldFiles.New(
                        record: change.after.id, field: edits.field.id, file: added.file.id, position: edits.next + Int64(index),
                        description: added.description)
                }
                let ids = try FieldFiles.add(new, scope)
                let staying = edits.before.filter { !edits.removed.contains($0) }.map(\.id)
                logged.append(
                    .init(
                        record: change.after, kind: .files, field: edits.field.id, before: .array(edits.before.map { .id($0.id) }),
                        after: .array((staying + ids).map { .id($0) })))
            }
        }
        if !logged.isEmpty { try ChangeLog.append(logged, scope) }
    }
}
