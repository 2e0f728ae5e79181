import Metadata
import Wire

/// The value of an organisation's variable: checked by type, kept and shown as text (`variables.md`).
package enum VariableValue {
    package static let types = [
        "text", "textarea", "integer", "long", "decimal", "currency", "percent", "date", "datetime", "email", "phone", "url", "checkbox",
    ]

    /// The text of a value; nil when it does not fit the type.
    package static func text(_ value: JSONValue, type: String) -> String? {
        guard let text = plain(value) else { return nil }
        if text.isEmpty { return "" }
        let fits =
            switch type {
            case "text": text.count <= 255
            case "textarea": text.count <= 2000
            case "integer": Int64(text).map { String($0.magnitude).count <= 9 } ?? false
            case "long": Int64(text).map { String($0.magnitude).count <= 18 } ?? false
            case "decimal", "currency", "percent": Double(text)?.isFinite ?? false
            case "date": CalendarDate(text) != nil
            case "datetime": Instant(iso: text) != nil
            case "email": text.isEmailAddress
            case "phone": text.count <= 30 && text.isPhoneNumber
            case "url": text.count <= 450 && text.isWebAddress
            case "checkbox": text == "true" || text == "false"
            default: false
            }
        return fits ? text : nil
    }

    private static func plain(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text), .number(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .null: ""
        case .array, .object: nil
        }
    }
}
