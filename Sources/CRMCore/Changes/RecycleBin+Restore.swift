import Metadata
import SQLStore
import Wire

extension RecycleBin {
    /// Brings records back as they were, with the notes, files and subform rows that went with them. What they pointed at and was
    /// merged away meanwhile is followed to the survivor.
    package static func restore(_ ids: [RecordID], _ scope: WriteScope) throws -> [Result<RecordID, Rejection>] {
        var outcomes: [Result<RecordID, Rejection>] = []
        // At most 100 of one call; each comes back whole or not at all.
        for id in ids {
            do {
                try scope.tx.savepoint { try restore(id, scope) }
                outcomes.append(.success(id))
            } catch let rejection as Rejection {
                outcomes.append(.failure(rejection))
            }
        }
        return outcomes
    }

    private static func restore(_ id: RecordID, _ scope: WriteScope) throws {
        if let visible = scope.access.graves(for: .delete),
            try scope.tx.first("SELECT 1 FROM sys_grave g WHERE g.id = \(id) AND \(visible)", { _ in true }) == nil
        {
            throw Rejection(.invalidData, message: "the id given seems to be invalid", .id(id))
        }
        let images = try scope.tx.rows(
            """
            SELECT g.id, g.module_id, g.image FROM sys_grave g WHERE g.kind = 'recycle' AND ((g.id = \(id) AND g.root IS NULL) OR g.root = \(id)) \
            ORDER BY g.id\(.lockRows)
            """
        ) { row in (RecordID(raw: row.integer(0) ?? 0), ModuleID(raw: row.integer(1) ?? 0), try JSONValue.parse(row.text(2) ?? "{}")) }
        guard let own = images.first(where: { $0.0 == id }), let module = scope.catalog.module(id: own.1) else {
            throw Rejection(.invalidData, message: "the id given seems to be invalid", .id(id))
        }
        try scope.access.require(.create, module)
        for (moduleID, group) in Dictionary(grouping: images, by: \.1).sorted(by: { $0.key < $1.key }) {
            guard let owner = scope.catalog.module(id: moduleID), owner.table != nil else { continue }
            try Graves.reopen(
                group.map { Graves.record($0.2, of: owner) }, subject: id,
                checking: { records in
                    if moduleID == own.1 { for record in records where record.id == id { try requireParent(of: record, scope) } }
                }, scope)
        }
        try scope.tx.execute("DELETE FROM sys_grave WHERE \(.memberIDs("id", images.map(\.0.raw)))")
    }

    /// A note, a file or a subform row belongs to a record, and cannot be there without it.
    private static func requireParent(of record: Record, _ scope: WriteScope) throws {
        guard let field = record.module.field("Parent_Id"), let parent = record[field].integer else { return }
        let target = field.isAnyLookup ? record.columns(of: field).last?.integer.map(ModuleID.init(raw:)) : field.target
        guard let table = target.flatMap({ scope.catalog.module(id: $0) })?.table else { return }
        let there = try scope.tx.first("SELECT 1 FROM \(table) WHERE id = \(.integer(parent))") { _ in true } ?? false
        if !there { throw Rejection(.cannotRestoreWithoutParent, .id(record.id)) }
    }
}
