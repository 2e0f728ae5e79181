import Metadata
import SQLStore
import Wire

/// Who or what made a change.
package enum Origin: String, Sendable {
    case api = "crm_api"
    case web = "crm_ui"
    case job = "bulk_action"
    case bulkWrite = "bulkapi"
    case merge = "findandmerge"
    case system
    case changeOwner = "change_owner"
    case massChangeOwner = "mass_change_owner_via_scheduler"
    case convert
    case massConvert = "massconvert"
    case blueprint
    case assignmentRules = "assignment_rules"
    case scoringRule = "scoringrule"
}

/// The one log of what happened to records. Timeline, audit, notifications, recycle bin and undo read it.
package enum ChangeLog {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_change (sequence \(.identityKey), group_id \(.type(.integer)) NOT NULL, at \(.type(.integer)) NOT NULL,
            user_id \(.type(.integer)) NOT NULL, origin \(.type(.text)) NOT NULL, module_id \(.type(.integer)) NOT NULL,
            record_id \(.type(.integer)) NOT NULL, kind \(.type(.text)) NOT NULL, field_id \(.type(.integer)),
            before \(.type(.text)), after \(.type(.text)))\(.strict)
        """,
        "CREATE INDEX sys_change_record ON sys_change (record_id, sequence)",
        "CREATE INDEX sys_change_group ON sys_change (group_id, sequence)",
    ]

    /// What happened. `repoint` and `linkDropped` are written in sets by a merge, one row for each related row.
    package enum Kind: String, Sendable {
        case added, updated, deleted, restored
        case merged = "find_and_merge_duplicate"
        case mergedAway = "merged_away"
        case repoint
        /// As `repoint`, to a record of another module: `[id, module]` before and after.
        case carriedOver = "carried_over"
        /// A record was converted, with the fields that say so.
        case converted
        case linkDropped = "link_dropped"
        case linkFilled = "link_filled"
        /// The tags of a record before and after, as arrays of ids.
        case tagged
        /// Whom a record was and is shared with.
        case shared
        /// A row that a merge added by itself, such as one of a deal's stage history.
        case addedByMerge = "added_by_merge"
        /// Invitations to an event that went from a merged record to its survivor.
        case participantsMoved = "participants_moved"
        /// The territories a record was and is in, when a merge changed them.
        case territories = "territories_changed"
        /// The place of a record in a blueprint before and after, when a merge changed it.
        case process = "process_changed"
        /// The portal user of a record before and after, when a merge changed it.
        case portalUser = "portal_user_changed"
        /// The cadences of a record before and after, when a merge took it out of them.
        case cadences = "cadences_changed"
        case unmerged
        /// The files of a field before and after, as arrays of their ids there.
        case files = "files_changed"
        /// On the record an attachment hangs on, with the attachment's id and name.
        case attached = "attachment_added"
        case detached = "attachment_deleted"
        /// A mail of the record went, with its id and subject.
        case mailed = "sent"
        /// A mail, under its own id, went over to the survivor of a merge; and one that only showed the merged record.
        case mailMoved = "mail_moved"
        case mailLinkMoved = "mail_link_moved"
    }

    private static let columns: [ColumnName] = [
        "group_id", "at", "user_id", "origin", "module_id", "record_id", "kind", "field_id", "before", "after", "automation",
    ]

    /// One entry; `before` and `after` hold the changed columns by field id.
    struct Entry {
        let module: ModuleID
        let id: RecordID
        let kind: Kind
        /// Where an entry is about one field.
        let field: FieldID?
        let before: JSONValue?
        let after: JSONValue?

        init(_ module: ModuleID, _ id: RecordID, _ kind: Kind, field: FieldID? = nil, before: JSONValue? = nil, after: JSONValue? = nil) {
            self.module = module
            self.id = id
            self.kind = kind
            self.field = field
            self.before = before
            self.after = after
        }

        init(record: Record, kind: Kind, field: FieldID? = nil, before: JSONValue? = nil, after: JSONValue? = nil) {
            self.init(record.module.id, record.id, kind, field: field, before: before, after: after)
        }

        /// The changed columns of a record, as it was and as it is.
        static func change(from old: Record, to new: Record, kind: Kind = .updated) -> Entry {
            var before: [JSONValue.Member] = []
            var after: [JSONValue.Member] = []
            for field in new.changedFields(from: old) {
                before.append(.init(String(field.id.raw), value(of: field, in: old)))
                after.append(.init(String(field.id.raw), value(of: field, in: new)))
            }
            return Entry(record: new, kind: kind, before: .object(before), after: .object(after))
        }

        private static func value(of field: Field, in record: Record) -> JSONValue {
            if let cipher = field.cipher { return cipher.logged(record[field]).json }
            let columns = record.columns(of: field)
            return columns.count == 1 ? (columns.first ?? .null).json : .array(columns.map(\.json))
        }
    }

    static func append(_ entries: [Entry], _ scope: WriteScope) throws {
        let author = Author(
            group: scope.group, user: scope.access.user, origin: scope.origin, at: scope.now, automation: scope.automation)
        try append(entries, by: author, feed: scope.feed, scope.tx)
    }

    /// Who does something, and when.
    struct Author {
        let group: RecordID
        let user: UserID
        let origin: Origin
        let at: Instant
        /// The rule in whose name it is done, where one does it.
        var automation: AutomationMark?
    }

    static func append(_ entries: [Entry], by author: Author, feed: ChangeFeed, _ tx: Transaction) throws {
        let isNews = feed.wants(entries)
        let mark = isNews ? try ChangeFeed.mark(author.group, tx) : 0
        if !(try appendAlike(entries, by: author, tx)) { try appendEach(entries, by: author, tx) }
        if isNews { try feed.add(after: mark, author.group, tx) }
    }

    private static func appendEach(_ entries: [Entry], by author: Author, _ tx: Transaction) throws {
        let automation = SQLValue(author.automation?.json.text)
        let rows = entries.map { entry -> [SQLValue] in
            [
                .integer(author.group.raw), .integer(author.at.milliseconds), .integer(author.user.raw), .text(author.origin.rawValue),
                .integer(entry.module.raw), .integer(entry.id.raw), .text(entry.kind.rawValue), .init(entry.field?.raw),
                .init(entry.before?.text), .init(entry.after?.text), automation,
            ]
        }
        try tx.insert(into: "sys_change", columns, rows: rows)
    }

    /// Entries that differ only in the record, as those of new records do, are one statement. False when they are no such entries.
    private static func appendAlike(_ entries: [Entry], by author: Author, _ tx: Transaction) throws -> Bool {
        guard entries.count > 1, let first = entries.first else { return false }
        var last = RecordID(raw: 0)
        for entry in entries {
            guard entry.module == first.module, entry.kind == first.kind, entry.field == nil, entry.before == nil, entry.after == nil,
                entry.id > last
            else { return false }
            last = entry.id
        }
        try tx.execute(
            """
            INSERT INTO sys_change (group_id, at, user_id, origin, module_id, record_id, kind, automation)
            SELECT \(author.group), \(author.at), \(.integer(author.user.raw)), \(.text(author.origin.rawValue)), \(.integer(first.module.raw)), i.id,
                \(.text(first.kind.rawValue)), \(SQLValue(author.automation?.json.text)) FROM \(.idTable(entries.map(\.id.raw), column: "id")) i ORDER BY i.id
            """)
        return true
    }

    /// What every row of one request or job carries.
    struct Stamp {
        let group: RecordID
        let at: Instant
        let user: UserID
        let origin: Origin
        /// What of the automation did it, as JSON.
        let automation: String?

        init(_ scope: WriteScope) {
            self.init(
                group: scope.group, at: scope.now, user: scope.access.user, origin: scope.origin, automation: scope.automation?.json.text)
        }

        init(group: RecordID, at: Instant, user: UserID, origin: Origin, automation: String? = nil) {
            (self.group, self.at, self.user, self.origin, self.automation) = (group, at, user, origin, automation)
        }
    }

    /// Set-based: one statement logs every row an UPDATE is about to point elsewhere. It locks them too, in ascending order of id,
    /// so that what is logged is what the UPDATE then finds.
    static func rows(
        kind: Kind, _ field: Field, of module: Module, _ table: TableName, before: SQL, after: SQL, where condition: SQL, _ stamp: Stamp
    ) -> SQL {
        """
        INSERT INTO sys_change (group_id, at, user_id, origin, module_id, record_id, kind, field_id, before, after, automation)
        SELECT \(stamp.group), \(stamp.at), \(.integer(stamp.user.raw)), \(.text(stamp.origin.rawValue)), \(.integer(module.id.raw)), t.id,
            \(.text(kind.rawValue)), \(.integer(field.id.raw)), \(before), \(after), \(SQLValue(stamp.automation)) \
            FROM \(table) t WHERE \(condition) ORDER BY t.id\(.lockRowsForChange)
        """
    }

    /// Runs `rows`.
    static func appendRows(
        kind: Kind, _ field: Field, of module: Module, _ table: TableName, before: SQL, after: SQL, where condition: SQL,
        _ scope: WriteScope
    ) throws {
        try scope.tx.execute(
            rows(kind: kind, field, of: module, table, before: before, after: after, where: condition, Stamp(scope)))
    }
}
