import Wire

/// The fields a new module starts with, as the seed file describes them for each kind of module.
package struct ModuleTemplate: Sendable {
    package enum Kind: String, Sendable { case custom, linking }

    /// Field bodies with their names and labels filled in. Those that wait for a feature of the organisation are left out.
    package let fields: [JSONValue]
    /// What field bodies leave out, for `PhysicalName`.
    private let defaults: JSONValue

    /// `words` fills the places in braces, such as `{singular_label}`.
    package init(_ kind: Kind, words: [String: String]) throws {
        let seed = try StandardSeed.resource()
        defaults = seed["field_defaults"] ?? [:]
        fields = (seed["field_templates"]?[kind.rawValue]?.array ?? []).filter { $0["present_when"] == nil }.map { Self.filled($0, words) }
    }

    /// A body with the columns of a table of its own.
    package func stored(_ field: JSONValue) -> JSONValue { PhysicalName.withColumns(field, defaults) }

    private static func filled(_ value: JSONValue, _ words: [String: String]) -> JSONValue {
        switch value {
        case .string(let text): .string(filled(text, words))
        case .array(let elements): .array(elements.map { filled($0, words) })
        case .object(let members): .object(members.map { .init($0.name, filled($0.value, words)) })
        case .null, .bool, .number: value
        }
    }

    private static func filled(_ text: String, _ words: [String: String]) -> String {
        guard text.contains("{") else { return text }
        var filled = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            filled += rest[..<open]
            guard let close = rest[open...].firstIndex(of: "}") else { break }
            let name = String(rest[rest.index(after: open)..<close])
            filled += words[name] ?? "{\(name)}"
            rest = rest[rest.index(after: close)...]
        }
        return filled + rest
    }
}

extension ModuleTemplate {
    /// The related lists every module that carries notes, files and activities has, for a module of that name. Taken from a
    /// standard module that has just these before its own.
    package static func relatedLists(of apiName: String) throws -> [JSONValue] {
        let model = "Campaigns"
        let lists = try StandardSeed.resource()["related_lists"]?[model]?.array ?? []
        return lists.filter { list in
            let via = list["via"]?.string ?? ""
            return ["Notes.", "Attachments.", "union of ", "Tasks.", "Events.", "Calls."].contains(where: via.hasPrefix)
        }.map { list in
            var list = list
            if let href = list["href"]?.string { list["href"] = .string(apiName + href.dropFirst(model.count)) }
            return list
        }
    }
}
