/// One part of a multipart/form-data body.
package struct FormPart: Sendable {
    package let name: String
    package let fileName: String?
    package let contentType: String?
    package let body: ArraySlice<UInt8>

    /// Nil for bytes that are not UTF-8, or too many for a form field. Clients name a file even for plain fields.
    package var text: String? { body.count > 65_536 ? nil : String(validating: body, as: UTF8.self) }
}

/// Reads multipart/form-data (RFC 7578) from a body that is in memory already.
package enum MultipartBody {
    /// Nil when the type is another one; what is malformed ends the list.
    package static func parts(_ body: [UInt8], contentType: String) -> [FormPart]? {
        guard ASCIICase.equal(contentType.prefix(19), "multipart/form-data"), let boundary = parameter("boundary", of: contentType),
            (1...70).contains(boundary.utf8.count)
        else { return nil }
        let mark = Array("--\(boundary)".utf8)
        let lineEnd = Array("\r\n".utf8)
        let blankLine = Array("\r\n\r\n".utf8)
        var parts: [FormPart] = []
        var rest = body[...]
        guard let first = find(mark, in: rest) else { return parts }
        rest = rest[(first + mark.count)...]
        while rest.starts(with: lineEnd), parts.count < 1000, let head = find(blankLine, in: rest), let end = find(lineEnd + mark, in: rest)
        {
            guard head + blankLine.count <= end else { break }
            let lines = String(decoding: rest[rest.startIndex..<head], as: UTF8.self)
            if let part = part(lines, rest[(head + blankLine.count)..<end]) { parts.append(part) }
            rest = rest[(end + lineEnd.count + mark.count)...]
        }
        return parts
    }

    private static func part(_ head: String, _ body: ArraySlice<UInt8>) -> FormPart? {
        var disposition: String?
        var type: String?
        for line in head.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = String(line[line.index(after: colon)...].drop { $0 == " " })
            if ASCIICase.equal(line[..<colon], "content-disposition") { disposition = value }
            if ASCIICase.equal(line[..<colon], "content-type") { type = value }
        }
        guard let disposition, let name = parameter("name", of: disposition) else { return nil }
        return FormPart(name: name, fileName: parameter("filename", of: disposition), contentType: type, body: body)
    }

    /// The value of `name=value` or `name="value"` among a header's parameters; a quoted one may hold semicolons.
    private static func parameter(_ name: String, of header: String) -> String? {
        var quoted = false
        let pieces = header.split { character in
            if character == "\"" { quoted.toggle() }
            return character == ";" && !quoted
        }
        for piece in pieces.dropFirst() {
            let piece = piece.drop { $0 == " " }
            guard let equals = piece.firstIndex(of: "="), ASCIICase.equal(piece[..<equals], name) else { continue }
            var value = piece[piece.index(after: equals)...]
            while value.last == " " { value.removeLast() }
            return value.count >= 2 && value.first == "\"" && value.last == "\"" ? String(value.dropFirst().dropLast()) : String(value)
        }
        return nil
    }

    /// Skips by the pattern's first byte. Boundaries have 70 bytes at most (RFC 2046, 5.1.1), which bounds the worst case.
    private static func find(_ pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = pattern.first, bytes.count >= pattern.count else { return nil }
        var index = bytes.startIndex
        let last = bytes.endIndex - pattern.count
        while index <= last {
            guard let candidate = bytes[index...last].firstIndex(of: first) else { return nil }
            if bytes[candidate...].starts(with: pattern) { return candidate }
            index = candidate + 1
        }
        return nil
    }
}
