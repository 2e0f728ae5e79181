/// The header of one part of a form: which field it is, and what the client called the file.
package struct PartHeader: Sendable, Equatable {
    package let name: String
    package let fileName: String?
    package let contentType: String?

    /// `nil` without a field name. `block` are the header lines as they came.
    init?(_ block: some Collection<UInt8>) {
        var disposition: String?
        var type: String?
        for line in Self.text(block).split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = String(line[line.index(after: colon)...].drop { $0 == " " })
            if ASCIICase.equal(line[..<colon], "content-disposition") { disposition = value }
            if ASCIICase.equal(line[..<colon], "content-type") { type = value }
        }
        guard let disposition else { return nil }
        let parameters = Self.parameters(of: disposition)
        guard let name = parameters["name"] else { return nil }
        self.name = name
        fileName = parameters["filename*"].flatMap(Self.extendedValue) ?? parameters["filename"].map(Self.unescaped)
        contentType = type
    }

    /// UTF-8, as every client of today sends it; otherwise byte by byte, so that nothing gets lost.
    private static func text(_ bytes: some Collection<UInt8>) -> String {
        String(validating: bytes, as: UTF8.self) ?? String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) }))
    }

    /// `form-data; name="a"; filename="b"`: names in lower case. Inside quotes a backslash protects a quote or a backslash, and
    /// stands for itself before anything else: Internet Explorer sent whole paths.
    static func parameters(of header: String) -> [String: String] {
        var found: [String: String] = [:]
        var rest = header[...].drop { $0 != ";" }
        while rest.first == ";" {
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            let name = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest.dropFirst(name.count)
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst()
            let value = rest.first == "\"" ? quoted(&rest) : plain(&rest)
            let key = name.lowercased().filter { $0 != " " }
            if found[key] == nil { found[key] = value }
        }
        return found
    }

    private static func plain(_ rest: inout Substring) -> String {
        let value = rest.prefix { $0 != ";" }
        rest = rest.dropFirst(value.count)
        return String(value.reversed().drop { $0 == " " }.reversed())
    }

    private static func quoted(_ rest: inout Substring) -> String {
        var value = ""
        rest = rest.dropFirst()
        while let character = rest.popFirst() {
            if character == "\"" { break }
            if character == "\\", let next = rest.first, next == "\"" || next == "\\" {
                value.append(next)
                rest = rest.dropFirst()
            } else {
                value.append(character)
            }
        }
        rest = rest.drop { $0 != ";" }
        return value
    }

    /// `UTF-8''na%C3%AFve.txt` (RFC 8187).
    private static func extendedValue(_ text: String) -> String? {
        let parts = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, ASCIICase.equal(parts[0], "utf-8") else { return nil }
        return PercentCoding.decode(parts[2].utf8, plusIsBlank: false)
    }

    /// Browsers and clients of today write a quote and line ends inside a name as these three, and a percent sign as itself.
    private static func unescaped(_ name: String) -> String {
        guard name.contains("%") else { return name }
        var result = ""
        var rest = name[...]
        while let character = rest.popFirst() {
            let code = character == "%" ? rest.prefix(2).uppercased() : ""
            switch code {
            case "22": result.append("\"")
            case "0D", "0A": result.append(" ")
            default:
                result.append(character)
                continue
            }
            rest = rest.dropFirst(2)
        }
        return result
    }
}
