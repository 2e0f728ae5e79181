import Metadata
import SQLStore
import Wire

/// The tags a module has: made, renamed, united, dropped. A module has few, so they are read together and decided in memory.
package enum TagDirectory {
    package static let limitPerModule = 100

    /// What a tag shall be called and look like.
    package struct Draft: Sendable {
        package let id: RecordID?
        package let name: String?
        package let color: String?
        package let path: JSONPath

        package init(id: RecordID? = nil, name: String?, color: String?, path: JSONPath) {
            self.id = id
            self.name = name
            self.color = color
            self.path = path
        }
    }

    package static func create(_ drafts: [Draft], in module: Module, _ scope: WriteScope) throws -> [Result<Tag, Rejection>] {
        var known = try tags(of: module.id, scope.tx)
        var made: [Tag] = []
        let outcomes = drafts.map { draft -> Result<Tag, Rejection> in
            let name = draft.name ?? ""
            let path = draft.path.appending("name")
            if let holder = known.first(where: { same($0.name, name) }) {
                return .failure(
                    holder.color == draft.color ? .duplicate(at: path) : Rejection(.mappingMismatch, .apiName("name"), .jsonPath(path)))
            }
            if known.count >= limitPerModule { return .failure(limitReached(at: draft.path)) }
            let tag = Tag(id: scope.ids.next(), module: module.id, name: name, color: draft.color, by: scope.access.user, at: scope.now)
            known.append(tag)
            made.append(tag)
            return .success(tag)
        }
        try insert(made, scope.tx)
        return outcomes
    }

    /// A colour left out becomes none; a name left out stays (tags, 51).
    package static func update(_ drafts: [Draft], in module: Module, _ scope: WriteScope) throws -> [Result<Tag, Rejection>] {
        var known = try tags(of: module.id, scope.tx)
        var changed: Set<RecordID> = []
        let outcomes = drafts.map { draft -> Result<Tag, Rejection> in
            guard let index = known.firstIndex(where: { $0.id == draft.id }) else {
                return .failure(.unknownRecord(at: draft.path.appending("id")))
            }
            if let name = draft.name {
                let taken = known.contains { $0.id != draft.id && same($0.name, name) }
                if taken { return .failure(.duplicate(at: draft.path.appending("name"))) }
                known[index].name = name
            }
            known[index].color = draft.color
            known[index].modifiedBy = scope.access.user.raw
            known[index].modifiedAt = scope.now
            changed.insert(known[index].id)
            return .success(known[index])
        }
        // At most as many statements as a module may have tags. Names may change places, so they are freed first.
        for tag in known where changed.contains(tag.id) {
            try scope.tx.execute("UPDATE sys_tag SET name = \(.text(String(tag.id.raw))) WHERE id = \(tag.id)")
        }
        for tag in known where changed.contains(tag.id) {
            try scope.tx.execute(
                """
                UPDATE sys_tag SET name = \(.text(tag.name)), color_code = \(.init(tag.color)), modified_by = \(.init(tag.modifiedBy)), \
                modified_at = \(tag.modifiedAt) WHERE id = \(tag.id)
                """)
        }
        return outcomes
    }

    /// Drops tags and takes them off the records that carry them. Returns those that were there.
    package static func delete(_ ids: [RecordID], of module: ModuleID? = nil, _ scope: WriteScope) throws -> Set<RecordID> {
        let own: SQL = module.map { " AND module_id = \(.integer($0.raw))" } ?? ""
        let found = try scope.tx.rows("SELECT id FROM sys_tag WHERE \(.memberIDs("id", ids.map(\.raw)))\(own) ORDER BY id") {
            $0.integer(0) ?? 0
        }
        guard !found.isEmpty else { return [] }
        try scope.tx.execute("DELETE FROM sys_record_tag WHERE \(.memberIDs("tag_id", found))")
        try scope.tx.execute("DELETE FROM sys_tag WHERE \(.memberIDs("id", found))")
        return Set(found.map(RecordID.init(raw:)))
    }

    /// Puts `conflict` into `kept`: records that carried either carry `kept`, once.
    package static func merge(_ kept: RecordID, with conflict: JSONCursor, _ scope: WriteScope) throws -> Tag {
        guard var survivor = try tag(kept, scope.tx) else {
            throw Rejection(.invalidData, message: "the id given seems to be invalid", .resourcePathIndex(0))
        }
        let other = RecordID(raw: conflict.value.looseInt64 ?? 0)
        guard other != kept, let going = try tag(other, scope.tx), going.module == survivor.module else {
            throw Rejection.unknownRecord(at: conflict.path)
        }
        try scope.tx.execute(
            """
            UPDATE sys_record_tag SET tag_id = \(kept) WHERE tag_id = \(other) \
            AND record_id NOT IN (SELECT r.record_id FROM sys_record_tag r WHERE r.tag_id = \(kept))
            """)
        _ = try delete([other], scope)
        survivor.modifiedBy = scope.access.user.raw
        survivor.modifiedAt = scope.now
        try scope.tx.execute(
            "UPDATE sys_tag SET modified_by = \(.init(survivor.modifiedBy)), modified_at = \(scope.now) WHERE id = \(kept)")
        return survivor
    }

    static func tag(_ id: RecordID, _ tx: Transaction) throws -> Tag? {
        try tx.first("SELECT \(Tag.columns) FROM sys_tag WHERE id = \(id)") { Tag($0) }
    }

    /// All tags of a module, oldest first. There are at most 100 or so.
    static func tags(of module: ModuleID, _ tx: Transaction) throws -> [Tag] {
        try tx.rows("SELECT \(Tag.columns) FROM sys_tag WHERE module_id = \(.integer(module.raw)) ORDER BY id LIMIT 1000") { Tag($0) }
    }

    static func insert(_ tags: [Tag], _ tx: Transaction) throws {
        let rows = tags.map { tag -> [SQLValue] in
            [
                .id(tag.id), .integer(tag.module.raw), .text(tag.name), .init(tag.color), .init(tag.createdBy), .init(tag.createdAt),
                .init(tag.modifiedBy),
                .init(tag.modifiedAt),
            ]
        }
        try tx.insert(
            into: "sys_tag", ["id", "module_id", "name", "color_code", "created_by", "created_at", "modified_by", "modified_at"], rows: rows
        )
    }

    static func same(_ left: String, _ right: String) -> Bool { TextFolding.fold(left) == TextFolding.fold(right) }

    static func limitReached(at path: JSONPath) -> Rejection {
        Rejection(.limitExceeded, .apiName("tags"), .jsonPath(path), .other("limit", .integer(limitPerModule)))
    }
}

extension RecordQueries {
    /// The tags of a module, oldest first; with `mine` only those the caller made.
    package func tags(of module: Module, mine: Bool) async throws -> [Tag] {
        try await read { tx in try TagDirectory.tags(of: module.id, tx) }.filter { !mine || $0.createdBy == access.user.raw }
    }

    package func tag(_ id: RecordID) async throws -> Tag? { try await read { tx in try TagDirectory.tag(id, tx) } }

    /// How many records carry a tag; `nil` when the module has no such tag. Records in the recycle bin keep theirs and do not count.
    package func recordCount(tag: RecordID, in module: Module) async throws -> Int64? {
        guard let table = module.table else { return nil }
        let visible = access.rows(of: module, for: .view, alias: "t").map { " AND \($0)" as SQL } ?? ""
        return try await read { tx in
            guard let found = try TagDirectory.tag(tag, tx), found.module == module.id else { return nil }
            return try tx.first(
                "SELECT count(*) FROM sys_record_tag r JOIN \(table) t ON t.id = r.record_id WHERE r.tag_id = \(tag)\(visible)"
            ) { $0.integer(0) ?? 0 }
        }
    }
}
