import Metadata
import SQLStore

/// Puts the rows of records into their tables, after the records themselves.
enum RowWriter {
    static func apply(_ changes: [PendingChange], _ scope: WriteScope) throws {
        let rows = changes.flatMap(\.rows)
        for (_, group) in Dictionary(grouping: rows, by: \.rows.module.id).sorted(by: { $0.key < $1.key }) {
            let removed = group.flatMap(\.removed)
            if !removed.isEmpty {
                try Graves.bury(removed, as: .permanent, scope)
                try ChangeLog.append(removed.map { .init(record: $0, kind: .deleted) }, scope)
            }
            let written = group.flatMap(\.written)
            if !written.isEmpty { try RecordStore.write(written, scope) }
        }
    }
}
