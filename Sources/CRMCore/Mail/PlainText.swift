/// What a mail in HTML says to who reads it without.
package enum PlainText {
    private static let breaking: Set<String> = ["br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "blockquote"]
    private static let silent: Set<String> = ["style", "script", "head", "title"]
    private static let entities: [String: Character] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "#39": "'",
    ]

    /// One pass; whatever is no markup stays as it is.
    package static func of(_ html: String) -> String {
        var text = ""
        var rest = html[...]
        var skipped: String?
        // Where no tag ends any more, none is looked for again.
        let lastEnd = html.lastIndex(of: ">")
        while let next = rest.first {
            if next == "<", let lastEnd, rest.startIndex < lastEnd, let end = rest.firstIndex(of: ">") {
                let tag = rest[rest.index(after: rest.startIndex)..<end]
                let name = tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber }.lowercased()
                if let open = skipped {
                    if tag.hasPrefix("/"), name == open { skipped = nil }
                } else if silent.contains(name), !tag.hasPrefix("/") {
                    skipped = name
                } else if breaking.contains(name), !text.isEmpty, text.last != "\n" {
                    text.append("\n")
                }
                rest = rest[rest.index(after: end)...]
            } else if skipped != nil {
                rest = rest.dropFirst()
            } else if next == "&", let end = rest.prefix(10).firstIndex(of: ";"),
                let character = entities[String(rest[rest.index(after: rest.startIndex)..<end])]
            {
                text.append(character)
                rest = rest[rest.index(after: end)...]
            } else {
                text.append(next)
                rest = rest.dropFirst()
            }
        }
        while text.last == "\n" { text.removeLast() }
        return text
    }

    /// Text as HTML shows it.
    static func escaped(_ text: String) -> String {
        var html = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": html += "&amp;"
            case "<": html += "&lt;"
            case ">": html += "&gt;"
            case "\"": html += "&quot;"
            case "'": html += "&#39;"
            default: html.unicodeScalars.append(scalar)
            }
        }
        return html
    }
}
