import Metadata
import SQLStore
import Wire

/// Tags and which records carry them.
package enum TagStore {
    /// The longest tag name, and how many a record may carry (`endpoints/tags.md`).
    package static let nameLimit = 25
    package static let limitPerRecord = 10

    static let schema: [SQL] = [
        """
        CREATE TABLE sys_tag (id \(.type(.integer)) PRIMARY KEY, module_id \(.type(.integer)) NOT NULL, name \(.type(.text)) NOT NULL,
            color_code \(.type(.text)), created_by \(.type(.integer)), created_at \(.type(.integer)) NOT NULL,
            modified_by \(.type(.integer)), modified_at \(.type(.integer)) NOT NULL)\(.strict)
        """,
        "CREATE UNIQUE INDEX sys_tag_name ON sys_tag (module_id, \(.folded("name")))",
        """
        CREATE TABLE sys_record_tag (record_id \(.type(.integer)) NOT NULL, tag_id \(.type(.integer)) NOT NULL,
            position \(.type(.integer)) NOT NULL, PRIMARY KEY (record_id, tag_id))\(.strict)
        """,
        "CREATE INDEX sys_record_tag_tag ON sys_record_tag (tag_id)",
    ]

    /// The tags of a record as a JSON array, for a SELECT list.
    static func tags(of record: SQL) -> SQL {
        """
        (SELECT \(.jsonArray([("name", "x.name"), ("id", "\(.textOf("x.id"))"), ("color_code", "x.color_code")])) FROM (SELECT g.id, g.name, g.color_code \
        FROM sys_record_tag r JOIN sys_tag g ON g.id = r.tag_id WHERE r.record_id = \(record) ORDER BY r.position) x)
        """
    }

    /// Gives records the tags their change names, in place of those they had. Unknown names become tags of the module.
    static func apply(_ changes: [PendingChange], _ scope: WriteScope) throws {
        let tagged = changes.filter { $0.tags != nil }
        guard let module = tagged.first?.after.module else { return }
        let ids = try resolve(tagged.flatMap { $0.tags ?? [] }, module, scope)
        try scope.tx.execute("DELETE FROM sys_record_tag WHERE \(.memberIDs("record_id", tagged.map(\.after.id.raw)))")
        let rows = tagged.flatMap { change in
            (change.tags ?? []).enumerated().compactMap { position, name -> [SQLValue]? in
                ids[TextFolding.fold(name)].map { [.integer(change.after.id.raw), .integer($0), .integer(Int64(position))] }
            }
        }
        try scope.tx.insert(into: "sys_record_tag", ["record_id", "tag_id", "position"], rows: rows)
    }

    /// The ids of tags by folded name; what is missing is made.
    private static func resolve(_ names: [String], _ module: Module, _ scope: WriteScope) throws -> [String: Int64] {
        var known: [String: Int64] = [:]
        let wanted = Dictionary(names.map { (TextFolding.fold($0), $0) }, uniquingKeysWith: { first, _ in first })
        guard !wanted.isEmpty else { return known }
        try scope.tx.forEach(
            "SELECT id, \(.folded("name")) FROM sys_tag WHERE module_id = \(.integer(module.id.raw)) AND \(.memberTexts("\(.folded("name"))", wanted.keys.sorted()))"
        ) { row in known[row.text(1) ?? ""] = row.integer(0) }
        let now = SQLValue.integer(scope.now.milliseconds), user = SQLValue.integer(scope.access.user.raw)
        var rows: [[SQLValue]] = []
        for (folded, name) in wanted.sorted(by: { $0.key < $1.key }) where known[folded] == nil {
            let id = scope.ids.next().raw
            known[folded] = id
            rows.append([.integer(id), .integer(module.id.raw), .text(name), user, now, user, now])
        }
        try scope.tx.insert(into: "sys_tag", ["id", "module_id", "name", "created_by", "created_at", "modified_by", "modified_at"], rows: rows)
        return known
    }

    /// Only the master's tags stay.
    static func drop(_ children: [RecordID], _ scope: WriteScope) throws -> Int {
        try scope.tx.execute("DELETE FROM sys_record_tag WHERE \(.memberIDs("record_id", children.map(\.raw)))")
        return 0
    }

    /// Only one child's tags stay, on the master.
    static func replace(_ master: RecordID, with child: RecordID, all children: [RecordID], _ scope: WriteScope) throws -> Int {
        try scope.tx.execute("DELETE FROM sys_record_tag WHERE record_id = \(master)")
        let moved = try scope.tx.execute("UPDATE sys_record_tag SET record_id = \(master) WHERE record_id = \(child)")
        _ = try drop(children, scope)
        return moved
    }

    /// The union a merge leaves on the master: its own first, then each child's, cut at the limit. Returns how many moved.
    static func unite(_ children: [RecordID], into master: RecordID, _ scope: WriteScope) throws -> Int {
        let all = [master] + children
        var held: [RecordID: [Int64]] = [:]
        try scope.tx.forEach(
            "SELECT record_id, tag_id FROM sys_record_tag WHERE \(.memberIDs("record_id", all.map(\.raw))) ORDER BY record_id, position"
        ) { row in held[RecordID(raw: row.integer(0) ?? 0), default: []].append(row.integer(1) ?? 0) }
        guard children.contains(where: { held[$0] != nil }) else { return 0 }
        let own = held[master] ?? []
        var united = own
        for tag in children.flatMap({ held[$0] ?? [] }) where !united.contains(tag) && united.count < limitPerRecord { united.append(tag) }
        let added = united.dropFirst(own.count)
        try scope.tx.execute("DELETE FROM sys_record_tag WHERE \(.memberIDs("record_id", children.map(\.raw)))")
        try scope.tx.insert(
            into: "sys_record_tag", ["record_id", "tag_id", "position"],
            rows: added.enumerated().map { [.integer(master.raw), .integer($1), .integer(Int64(own.count + $0))] })
        return added.count
    }
}
