import Metadata
import SQLStore
import Wire

/// A tag of a module. Contract: tags, section notes.
package struct Tag: Sendable, Equatable {
    package let id: RecordID
    package let module: ModuleID
    package var name: String
    package var color: String?
    package let createdBy: Int64?
    package let createdAt: Instant
    package var modifiedBy: Int64?
    package var modifiedAt: Instant

    /// The colours a tag may have.
    package static let palette = [
        "#F17574", "#F48435", "#E7A826", "#A8C026", "#63C57E", "#1DB9B4", "#57B1FD", "#879BFC", "#D297EE", "#FD87BD", "#969696", "#658BA8",
        "#B88562",
    ]

    /// A name: at most 25 characters, without `<`, `>`, comma and emoji.
    package static func name(_ input: JSONCursor) throws(Rejection) -> String {
        let name = try input.string(max: TagStore.nameLimit, min: 1)
        let barred = name.unicodeScalars.contains {
            "<>,".unicodeScalars.contains($0) || $0.properties.isEmojiPresentation || $0.value == 0xFE0F
        }
        let blank = name.unicodeScalars.allSatisfy(\.properties.isWhitespace)
        if barred || blank { throw .invalid(at: input.path) }
        return name
    }

    /// A colour of the palette in its own spelling; none when absent or null.
    package static func color(_ input: JSONCursor?) throws(Rejection) -> String? {
        guard let input, !input.value.isNull else { return nil }
        let text = try input.string().uppercased()
        guard palette.contains(text) else { throw .unsupported(palette, at: input.path) }
        return text
    }

    static let columns: SQL = "id, module_id, name, color_code, created_by, created_at, modified_by, modified_at"

    init(_ row: borrowing Row) {
        id = RecordID(raw: row.integer(0) ?? 0)
        module = ModuleID(raw: row.integer(1) ?? 0)
        name = row.text(2) ?? ""
        color = row.text(3)
        createdBy = row.integer(4)
        createdAt = Instant(milliseconds: row.integer(5) ?? 0)
        modifiedBy = row.integer(6)
        modifiedAt = Instant(milliseconds: row.integer(7) ?? 0)
    }

    init(id: RecordID, module: ModuleID, name: String, color: String?, by user: UserID, at now: Instant) {
        self.id = id
        self.module = module
        self.name = name
        self.color = color
        createdBy = user.raw
        createdAt = now
        modifiedBy = user.raw
        modifiedAt = now
    }
}
