import HTTPShell
import Wire

/// One request of a composite, its shape checked. Contract: composite-api, 252.
struct SubRequest: Sendable {
    let id: String?
    let method: HTTPMethod
    /// As given: it may hold references.
    let uri: String
    let params: JSONValue
    let headers: JSONValue
    let body: JSONValue?

    private static let version = 7.0
    private static let refusedHeaders: Set<String> = ["authorization", "x-crm-org"]

    init(_ item: JSONCursor, taken: Set<String>) throws(Rejection) {
        _ = try item.object()
        id = try Self.id(item, taken)
        guard let uri = item.optional("uri")?.value.string, let version = Self.version(of: uri) else {
            throw .missing("uri", at: item.path)
        }
        guard version <= Self.version else {
            throw .notAllowed(at: item.path.appending("uri"), message: "the version of the sub request is above the composite's")
        }
        guard let name = item.optional("method")?.value.string else { throw .missing("method", at: item.path) }
        guard let method = HTTPMethod(rawValue: name) else {
            throw .unsupported(HTTPMethod.allCases.map(\.rawValue), at: item.path.appending("method"))
        }
        self.uri = uri
        self.method = method
        params = try Self.object("params", item) ?? [:]
        headers = try Self.object("headers", item) ?? [:]
        body = try Self.object("body", item)
        for header in headers.members ?? [] where Self.refusedHeaders.contains(header.name.lowercased()) {
            throw .invalid(at: item.path.appending("headers").appending(header.name))
        }
    }

    private static func id(_ item: JSONCursor, _ taken: Set<String>) throws(Rejection) -> String? {
        guard let given = item.optional("sub_request_id"), !given.value.isNull else { return nil }
        guard let id = given.value.string, isID(id) else { throw .invalid(at: given.path) }
        guard !taken.contains(id) else { throw .duplicate(at: given.path) }
        return id
    }

    /// `[a-zA-Z0-9][a-zA-Z0-9_]*`
    static func isID(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "_") else { return false }
        return text.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_")
        }
    }

    private static func object(_ name: String, _ item: JSONCursor) throws(Rejection) -> JSONValue? {
        guard let given = item.optional(name), !given.value.isNull else { return nil }
        _ = try given.object()
        return given.value
    }

    /// Of `/crm(/…)?/vN[.N]/…`; `nil` when it is no such path.
    private static func version(of uri: String) -> Double? {
        let parts = uri.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].isEmpty, parts[1] == "crm", let index = versionIndex(parts), index + 1 < parts.count else {
            return nil
        }
        return Double(parts[index].dropFirst())
    }

    private static func versionIndex(_ parts: [Substring]) -> Int? {
        parts.indices.first { index in
            let digits = parts[index].dropFirst()
            return index >= 2 && parts[index].first == "v" && digits.first?.isNumber == true
                && digits.allSatisfy { $0.isASCII && ($0.isNumber || $0 == ".") }
        }
    }

    /// The segments behind the version, however old that is: all are answered as the newest. None of a path that is not below
    /// `/crm/v…`, such as those of bulk jobs.
    static func segments(of uri: String) -> [Substring] {
        let parts = uri.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
        // As the router reads them: an escape must not hide what a segment says.
        return versionIndex(parts).flatMap { $0 == 2 ? $0 : nil }.map { start in
            parts[(start + 1)...].map { part in Substring(PercentCoding.decode(part.utf8, plusIsBlank: false) ?? "%") }
        } ?? []
    }
}
