import Wire

/// A request whose path has found its endpoint. Nothing in its body has been looked at yet.
package struct ParsedRequest: Sendable {
    package let method: HTTPMethod
    /// The parameters of the path by name, percent-decoded.
    package let path: [String: String]
    package let query: [(name: String, value: String)]
    package let headers: [(String, String)]
    package let body: [UInt8]
    /// The files of a form, for endpoints that declare one.
    package let upload: Upload?

    package init(
        method: HTTPMethod, path: [String: String] = [:], query: [(name: String, value: String)] = [], headers: [(String, String)] = [],
        body: [UInt8] = [], upload: Upload? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.upload = upload
    }

    /// The first parameter of that name.
    package func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

    package func header(_ name: String) -> String? { headers.first { ASCIICase.equal($0.0, name) }?.1 }

    package func cookie(_ name: String) -> String? {
        for (header, value) in headers where ASCIICase.equal(header, "cookie") {
            for pair in value.split(separator: ";") {
                let pair = pair.drop { $0 == " " }
                if pair.hasPrefix(name + "=") { return String(pair.dropFirst(name.count + 1)) }
            }
        }
        return nil
    }

    /// A hundred records with every field and two hundred rows of a subform each stay below; a body of tiny values would cost a second
    /// of reading for every two megabytes.
    package static let mostValues = 500_000

    /// The body as JSON whatever its Content-Type: the SDKs send none. Malformed or missing is
    /// UNABLE_TO_PARSE_DATA_TYPE (common, §6), with the byte at which reading stopped.
    package func json() throws(Rejection) -> JSONCursor {
        let value: JSONValue
        do {
            value = try JSONValue.parse(body, most: Self.mostValues)
        } catch {
            let what =
                body.isEmpty ? "the request body is empty" : "the request body is not valid JSON: \(error.reason) at byte \(error.offset)"
            throw Rejection(.unableToParseDataType, message: what)
        }
        try NulCharacter.refuse(in: body, value)
        return JSONCursor(value)
    }

    /// Fields of a form, wherever the client put them: urlencoded or multipart body, then the query. Contract: common, §3.
    package func form() -> [(String, String)] {
        let type = header("content-type") ?? ""
        var fields: [(String, String)] = []
        if let parts = MultipartBody.parts(body, contentType: type) {
            fields = parts.compactMap { part in part.text.map { (part.name, $0) } }
        } else if !body.isEmpty {
            fields = PercentCoding.pairs(String(decoding: body, as: UTF8.self)).map { ($0.name, $0.value) }
        }
        // A field with NUL is no field: form calls have errors of their own for what is missing.
        return (fields + query.map { ($0.name, $0.value) }).filter { !NulCharacter.holds($0.0) && !NulCharacter.holds($0.1) }
    }

    /// The parts of a multipart body; nil when it is none.
    package func parts() -> [FormPart]? { MultipartBody.parts(body, contentType: header("content-type") ?? "") }
}
