/// One part of a multipart/form-data body.
package struct FormPart: Sendable {
    package let name: String
    package let fileName: String?
    package let contentType: String?
    package let body: ArraySlice<UInt8>

    /// Nil for bytes that are not UTF-8, or too many for a form field. Clients name a file even for plain fields.
    package var text: String? { body.count > 65_536 ? nil : String(validating: body, as: UTF8.self) }
}

/// Reads multipart/form-data from a body that is in memory already.
package enum MultipartBody {
    /// Nil when the type is another one; what is malformed ends the list.
    package static func parts(_ body: [UInt8], contentType: String) -> [FormPart]? {
        guard let boundary = MultipartReader.boundary(of: contentType) else { return nil }
        var reader = MultipartReader(boundary: boundary)
        var parts: [FormPart] = []
        var header: PartHeader?
        var content: [UInt8] = []
        for event in (try? reader.feed(body)) ?? [] where parts.count < 1000 {
            switch event {
            case .part(let next): (header, content) = (next, [])
            case .bytes(let bytes): content += bytes
            case .partEnd:
                guard let header else { continue }
                parts.append(FormPart(name: header.name, fileName: header.fileName, contentType: header.contentType, body: content[...]))
            case .end: return parts
            }
        }
        return parts
    }
}
