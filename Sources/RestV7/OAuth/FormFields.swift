import HTTPShell

/// The fields of a form by name; of several with one name the first counts.
struct FormFields: Sendable {
    private let fields: [String: String]

    init(_ request: ParsedRequest) {
        fields = Dictionary(request.form(), uniquingKeysWith: { first, _ in first })
    }

    /// An empty field is a missing one: the SDKs send those they have no value for.
    subscript(_ name: String) -> String? {
        guard let value = fields[name], !value.isEmpty else { return nil }
        return value
    }
}
