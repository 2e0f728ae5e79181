import CRMCore
import HTTPShell
import Metadata
import Wire

/// The `default_value` of a mapping, checked before a job begins: what no record could hold is refused at once.
struct BulkDefault {
    let field: Field
    let module: Module
    /// How the file writes dates and numbers, and so perhaps the default.
    let format: String?
    let context: RequestContext

    /// The value as a body would have it.
    func read(_ input: JSONCursor) throws(Rejection) -> JSONValue {
        if input.value.isNull || input.value == "" { return .null }
        if field.apiName == "Tag" { return try tags(input) }
        let value = if let text = input.value.string { try plain(text, input.path) } else { input.value }
        let cursor = JSONCursor(value, at: input.path)
        let decoded = try field.type.decode(cursor, field, context.catalog)
        if case .reference(let id, _) = decoded { try check(id, input) }
        return cursor.value
    }

    /// A text as cells have it: dates and numbers in the file's own format, several choices in one text.
    private func plain(_ text: String, _ path: JSONPath) throws(Rejection) -> JSONValue {
        let read: JSONValue?
        switch field.plainType.comparison {
        case .date: read = DatePattern(format ?? DatePattern.date)?.date(text).map { .string($0.iso) }
        case .instant:
            let zone = context.catalog.user(context.access.user)?.zone ?? context.catalog.zone
            read = DatePattern(format ?? DatePattern.instant)?.instant(text, zone).map { .string($0.iso(offsetMinutes: 0)) }
        case .number: read = (format.flatMap(NumberPattern.init) ?? .usual).plain(text).map(JSONValue.string)
        case .flag: read = ["true": true, "false": false][text.lowercased()]
        case .choices: read = .array(text.split(separator: ";").map { .string(String($0.drop { $0 == " " })) })
        default: return .string(text)
        }
        guard let read else { throw .invalid(at: path) }
        return read
    }

    private func tags(_ input: JSONCursor) throws(Rejection) -> JSONValue {
        if let text = input.value.string {
            return .array(text.split { $0 == ";" || $0 == "," }.map { .string(String($0.drop { $0 == " " })) })
        }
        _ = try input.elements()
        return input.value
    }

    /// Layouts and people are known here; whether a record is there, its row tells.
    private func check(_ id: RecordID, _ input: JSONCursor) throws(Rejection) {
        switch field.type.cell {
        case .layout:
            let isKnown = context.catalog.documents(.layout).contains { $0.id == id && $0.parent?.raw == module.id.raw }
            if !isKnown { throw .invalid(at: input.path) }
        case .user: if context.catalog.user(UserID(raw: id.raw)) == nil { throw .invalid(at: input.path) }
        default: break
        }
    }
}
