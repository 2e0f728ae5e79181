import HTTPShell
import Metadata
import Wire

/// The `filters` parameter of the list of available APIs: one field, the comparator `equals`, one value.
struct APIFilter: Sendable {
    private enum Test: Sendable {
        /// An area of scopes, such as `settings` or `modules.leads`.
        case scope(String)
        case method(HTTPMethod)
        case module(String)
    }

    private static let fields = ["operation_types.oauth_scope", "operation_types.method", "module"]

    private let test: Test

    /// A part that is absent is DEPENDENT_FIELD_MISSING, an empty one MANDATORY_NOT_FOUND, anything else wrong INVALID_DATA.
    init(_ text: String, _ catalog: Catalog, _ known: [AvailableAPI]) throws(Rejection) {
        guard let value = try? JSONValue.parse(text), case .object = value else { throw .invalidParameter("filters") }
        let filter = JSONCursor(value, at: JSONPath().appending("filters"))
        let name = try Self.text(Self.part("api_name", of: Self.part("field", of: filter)))
        let comparator = try Self.text(Self.part("comparator", of: filter))
        let wanted = try Self.text(Self.part("value", of: filter))
        guard Self.fields.contains(name.text) else { throw .unsupported(Self.fields, at: name.path) }
        guard comparator.text == "equals" else { throw .unsupported(["equals"], at: comparator.path) }
        switch name.text {
        case "operation_types.oauth_scope":
            let area = wanted.text.lowercased()
            guard known.contains(where: { Self.scope($0.scope, isIn: area) }) else { throw .invalid(at: wanted.path) }
            test = .scope(area)
        case "operation_types.method":
            guard let method = HTTPMethod(rawValue: wanted.text) else {
                throw .unsupported(HTTPMethod.allCases.map(\.rawValue), at: wanted.path)
            }
            test = .method(method)
        default:
            guard known.contains(where: { $0.module == wanted.text }) else { throw .invalid(at: wanted.path) }
            test = .module(wanted.text)
        }
    }

    func admits(_ api: AvailableAPI) -> Bool {
        switch test {
        case .scope(let area): Self.scope(api.scope, isIn: area)
        case .method(let method): api.method == method
        case .module(let name): api.module == name
        }
    }

    /// Whether one of the scopes of a rule's text lies in the area.
    private static func scope(_ text: String, isIn area: String) -> Bool {
        text.lowercased().split(separator: " ").contains { $0.hasPrefix("zohocrm.\(area).") }
    }

    private static func part(_ key: String, of cursor: JSONCursor) throws(Rejection) -> JSONCursor {
        _ = try cursor.object()
        guard let part = cursor.optional(key) else {
            throw Rejection(
                .dependentFieldMissing, .dependee(cursor.name, cursor.path), .apiName(key), .jsonPath(cursor.path.appending(key)))
        }
        if part.value.isNull || part.value == "" || part.value == [:] { throw .missing(key, at: cursor.path) }
        return part
    }

    private static func text(_ cursor: JSONCursor) throws(Rejection) -> (text: String, path: JSONPath) {
        (try cursor.string(), cursor.path)
    }
}
