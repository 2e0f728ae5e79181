import Metadata
import Wire

/// Text with places for values of a record: `${Leads.Last_Name}`, or `${!Leads.Last_Name}`. The writer's own are `${User.full_name}`.
/// A place for something nobody knows stays as it is.
struct TemplateText {
    let module: Module
    /// The record as the sender sees it: a field hidden from him is not there.
    let record: JSONValue
    let sender: JSONValue
    let isHTML: Bool

    func fill(_ text: String) -> String {
        guard text.contains("${") else { return text }
        var filled = ""
        var rest = text[...]
        while let open = rest.firstRange(of: "${") {
            filled += rest[..<open.lowerBound]
            // A name has no more than two parts of a hundred letters.
            guard let close = rest[open.upperBound...].prefix(204).firstIndex(of: "}") else {
                filled += "${"
                rest = rest[open.upperBound...]
                continue
            }
            let name = rest[open.upperBound..<close]
            filled += value(name) ?? "${\(name)}"
            rest = rest[rest.index(after: close)...]
        }
        return filled + rest
    }

    private func value(_ place: Substring) -> String? {
        let parts = place.drop { $0 == "!" }.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else { return nil }
        let source: JSONValue
        switch parts[0] {
        case module.apiName: source = record
        case "User", "Users": source = sender
        default: return nil
        }
        let text = Self.text(source[parts[1]] ?? .null)
        return isHTML ? PlainText.escaped(text) : text
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .string(let text): text
        case .number(let digits): digits
        case .bool(let flag): flag ? "true" : "false"
        case .array(let elements): elements.map(text).joined(separator: ", ")
        case .object: text(value["name"] ?? value["full_name"] ?? .null)
        }
    }
}
