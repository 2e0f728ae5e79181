import Metadata
import SQLStore
import Wire

/// A text to fill with the values of a record. Contract: templates, 73 and 74.
package struct Template: Sendable {
    package enum Kind: String, Sendable { case email, inventory }
    package enum Mode: String, Sendable, CaseIterable {
        case gallery
        case richText = "rich_text"
        case plainText = "plain_text"
    }

    package var id: RecordID
    package let kind: Kind
    package var module: ModuleID
    package var name: String
    /// Of the mail; empty for documents.
    package var subject: String
    package var content: String
    package var mode: Mode
    package var isDraft: Bool
    package var isFavorite: Bool
    package var usedAt: Instant?
    package var sent: Int64 = 0
    package var bounced: Int64 = 0
    package var createdBy: Int64
    package var createdAt: Instant
    package var modifiedBy: Int64
    package var modifiedAt: Instant

    package init(
        id: RecordID, kind: Kind, module: ModuleID, name: String, subject: String, content: String, mode: Mode, isDraft: Bool,
        isFavorite: Bool, by user: Int64, at now: Instant
    ) {
        (self.id, self.kind, self.module, self.name, self.subject, self.content) = (id, kind, module, name, subject, content)
        (self.mode, self.isDraft, self.isFavorite) = (mode, isDraft, isFavorite)
        (createdBy, createdAt, modifiedBy, modifiedAt) = (user, now, user, now)
    }
}

/// Owns `sys_template`. Contents may be large, so they are no settings.
package enum TemplateStore {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_template (id \(.type(.integer)) PRIMARY KEY, kind \(.type(.text)) NOT NULL, module_id \(.type(.integer)) NOT NULL,
            name \(.type(.text)) NOT NULL, subject \(.type(.text)) NOT NULL, content \(.type(.text)) NOT NULL, mode \(.type(.text)) NOT NULL,
            draft \(.type(.integer)) NOT NULL, favorite \(.type(.integer)) NOT NULL, used_at \(.type(.integer)),
            sent \(.type(.integer)) NOT NULL, bounced \(.type(.integer)) NOT NULL, created_by \(.type(.integer)) NOT NULL,
            created_at \(.type(.integer)) NOT NULL, modified_by \(.type(.integer)) NOT NULL, modified_at \(.type(.integer)) NOT NULL)\(.strict)
        """,
        "CREATE UNIQUE INDEX sys_template_name ON sys_template (kind, module_id, \(.folded("name")))",
    ]

    /// In what order a list stands.
    package enum Order: String, Sendable, CaseIterable {
        case modified = "modified_time"
        case used = "last_usage_time"
        case name

        func sql(descending: Bool) -> SQL {
            let key: DialectTerm =
                switch self {
                case .modified: .orderKey("modified_at", descending: descending, type: .integer)
                case .used: .orderKey("used_at", descending: descending, type: .integer)
                case .name: .orderKey("name", descending: descending)
                }
            return descending ? "\(key), id DESC" : "\(key), id"
        }
    }

    /// Which of a kind: all, or those of a category (`templates.md`, 73).
    package struct Filter: Sendable {
        package enum Category: String, Sendable, CaseIterable {
            case favorite
            case own = "created_by_me"
            case shared = "shared_with_me"
            case draft
        }

        package let kind: Template.Kind
        /// Those of which the caller may see the records.
        package let modules: [ModuleID]
        package let category: Category?

        package init(_ kind: Template.Kind, modules: [ModuleID], category: Category? = nil) {
            self.kind = kind
            self.modules = modules
            self.category = category
        }

        func sql(for user: UserID) -> SQL {
            let own: SQL =
                switch category {
                case nil: ""
                case .favorite: " AND favorite = 1"
                case .draft: " AND draft = 1"
                case .own: " AND created_by = \(.integer(user.raw))"
                case .shared: " AND created_by <> \(.integer(user.raw))"
                }
            return "kind = \(.text(kind.rawValue)) AND \(.memberIDs("module_id", modules.map(\.raw)))\(own)"
        }
    }

    private static let columns: [ColumnName] = [
        "id", "kind", "module_id", "name", "subject", "content", "mode", "draft", "favorite", "used_at", "sent", "bounced", "created_by",
        "created_at", "modified_by", "modified_at",
    ]

    package static func page(
        _ filter: Filter, for user: UserID, order: Order, descending: Bool, skipping: Int, limit: Int, _ tx: Transaction
    ) throws -> [Template] {
        try rows(filter.sql(for: user), order: order.sql(descending: descending), limit: limit, skipping: skipping, tx)
    }

    package static func find(_ id: RecordID, _ kind: Template.Kind, _ tx: Transaction) throws -> Template? {
        try rows("id = \(id) AND kind = \(.text(kind.rawValue))", order: "id", limit: 1, tx).first
    }

    /// Those of mails with places for links to unsubscribe by. Templates are few: people write them.
    static func withUnsubscribeLinks(_ tx: Transaction) throws -> [Template] {
        try rows("kind = 'email' AND content LIKE '%${Unsubscribe_Link%'", order: "id", limit: 1_000, tx)
    }

    private static func rows(_ condition: SQL, order: SQL, limit: Int, skipping: Int = 0, _ tx: Transaction) throws -> [Template] {
        try tx.rows(
            """
            SELECT \(.joined(columns)) FROM sys_template WHERE \(condition) ORDER BY \(order) LIMIT \(.integer(Int64(limit))) \
            OFFSET \(.integer(Int64(skipping)))
            """
        ) { row in
            var template = Template(
                id: RecordID(raw: row.integer(0) ?? 0), kind: Template.Kind(rawValue: row.text(1) ?? "") ?? .email,
                module: ModuleID(raw: row.integer(2) ?? 0), name: row.text(3) ?? "", subject: row.text(4) ?? "", content: row.text(5) ?? "",
                mode: Template.Mode(rawValue: row.text(6) ?? "") ?? .richText, isDraft: row.integer(7) == 1,
                isFavorite: row.integer(8) == 1,
                by: row.integer(12) ?? 0, at: Instant(milliseconds: row.integer(13) ?? 0))
            template.usedAt = row.integer(9).map(Instant.init(milliseconds:))
            (template.sent, template.bounced) = (row.integer(10) ?? 0, row.integer(11) ?? 0)
            (template.modifiedBy, template.modifiedAt) = (row.integer(14) ?? 0, Instant(milliseconds: row.integer(15) ?? 0))
            return template
        }
    }

    /// Puts a template in, or in its place; DUPLICATE_DATA when another of the module has the name.
    package static func put(_ template: Template, isNew: Bool, at path: JSONPath, _ tx: Transaction) throws {
        let values: [SQLValue] = [
            .id(template.id), .text(template.kind.rawValue), .integer(template.module.raw), .text(template.name), .text(template.subject),
            .text(template.content), .text(template.mode.rawValue), .init(template.isDraft), .init(template.isFavorite),
            .init(template.usedAt), .integer(template.sent), .integer(template.bounced), .integer(template.createdBy),
            .integer(template.createdAt.milliseconds), .integer(template.modifiedBy), .integer(template.modifiedAt.milliseconds),
        ]
        do {
            try tx.savepoint {
                if isNew { return try tx.insert(into: "sys_template", columns, rows: [values]) }
                let settings = zip(columns, values).dropFirst().map { "\($0) = \($1)" as SQL }
                try tx.execute("UPDATE sys_template SET \(.joined(settings, by: ", ")) WHERE id = \(template.id)")
            }
        } catch SQLFailure.unique {
            throw Rejection.duplicate(at: path.appending("name"))
        }
    }

    package static func remove(_ id: RecordID, at now: Instant, _ tx: Transaction) throws {
        try tx.execute("DELETE FROM sys_template WHERE id = \(id)")
        try FieldFiles.removeAll(of: [id], at: now, tx)
    }

    static func used(_ id: RecordID, at now: Instant, _ tx: Transaction) throws {
        try tx.execute("UPDATE sys_template SET used_at = \(now) WHERE id = \(id)")
    }

    /// One more copy of a mail went or came back.
    static func count(email: RecordID, _ column: ColumnName, _ tx: Transaction) throws {
        try tx.execute(
            "UPDATE sys_template SET \(column) = \(column) + 1 WHERE id = (SELECT template_id FROM sys_email WHERE id = \(email))")
    }
}
