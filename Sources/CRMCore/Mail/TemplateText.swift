import Metadata
import Wire

/// Text with places for values of a record: `${Leads.Last_Name}`, or `${!Leads.Last_Name}`. The writer's own are `${User.full_name}`.
/// A place for something nobody knows stays as it is.
struct TemplateText {
    let module: Module
    /// The record as the sender sees it: a field hidden from him is not there.
    let record: JSONValue
    let sender: JSONValue
    /// What users may have.
    var people: Module?
    let isHTML: Bool

    /// `nil` when more than `most` bytes come of it.
    func fill(_ text: String, most: Int) -> String? {
        let bytes = Array(text.utf8)
        var filled: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard let (name, end) = Self.place(in: bytes, at: index) else {
                filled.append(bytes[index])
                index += 1
                continue
            }
            filled += (value(name[...]) ?? "${\(name)}").utf8
            index = end
            guard filled.count <= most else { return nil }
        }
        return filled.count <= most ? String(decoding: filled, as: UTF8.self) : nil
    }

    /// The place that begins here. A name has no more than two parts of a hundred letters, and no brace or sign of another place in it.
    private static func place(in bytes: [UInt8], at index: Int) -> (name: String, end: Int)? {
        guard bytes[index] == UInt8(ascii: "$"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "{") else { return nil }
        let start = index + 2
        let bound = min(bytes.count, start + 816)
        guard
            let close = bytes[start..<bound].firstIndex(where: { [UInt8(ascii: "}"), UInt8(ascii: "{"), UInt8(ascii: "$")].contains($0) }),
            bytes[close] == UInt8(ascii: "}")
        else { return nil }
        return (String(decoding: bytes[start..<close], as: UTF8.self), close + 1)
    }

    private func value(_ place: Substring) -> String? {
        let parts = place.drop { $0 == "!" }.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else { return nil }
        let source: (values: JSONValue, fields: Module?)
        switch parts[0] {
        case module.apiName: source = (record, module)
        case "User", "Users": source = (sender, people)
        default: return nil
        }
        // A field that is there and has no value, or none for the sender, is empty.
        guard source.values[parts[1]] != nil || source.fields?.field(parts[1]) != nil else { return nil }
        let text = Self.text(source.values[parts[1]] ?? .null)
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
