import CRMCore
import HTTPShell
import Metadata
import Wire

/// A request that names records by external values, turned into the same request with ids. Path, `ids` and body are looked at;
/// each field costs one statement.
struct ExternalRequest {
    let request: ParsedRequest
    let references: [ExternalReference]
    let context: RequestContext

    /// The reference for the record of the path, and for the records the call is about.
    private let base: ExternalReference?
    private let own: ExternalReference?
    private let listed: Bool

    /// `pattern` is the endpoint's path: it says module and list where it does not leave them open.
    init(_ request: ParsedRequest, pattern: String, _ header: String, _ context: RequestContext) throws(Rejection) {
        self.request = request
        self.context = context
        references = try ExternalReference.read(header, context.catalog)
        let segments = pattern.split(separator: "/").map(String.init)
        func name(_ parameter: String, _ index: Int) -> String? {
            request.path[parameter] ?? (segments.count > index ? segments[index] : nil)
        }
        guard let module = name("module", 2).flatMap({ context.catalog.module($0) }), module.table != nil else { throw .invalidModule() }
        let direct = references.filter(\.way.isEmpty)
        base = direct.first { $0.module === module }
        if let list = name("related_list", 4).flatMap({ context.catalog.relatedList($0, of: module.id) }) {
            listed = true
            own = direct.first { $0.module.id == list.listed && $0.field !== direct.first { $0.module === module }?.field }
        } else {
            listed = false
            own = base
        }
    }

    struct Resolved {
        let request: ParsedRequest
        let names: ExternalNames
    }

    func resolved() async throws -> Resolved {
        var path = request.path
        var query = request.query
        var body = request.body.isEmpty ? nil : ExternalBody(try request.json().value)
        let baseIDs = try await ids(base, [path["id"]].compactMap(\.self))
        let given = listed ? path["related_id"] : path["id"]
        if let base, let text = path["id"] { path["id"] = id(text, baseIDs, base) }

        var keys: [String?] = []
        if let own {
            let listing = query.first { $0.name == "ids" }?.value.split(separator: ",").map { String($0.filter { $0 != " " }) } ?? []
            let named = body?.keys(own) ?? []
            let found = try await ids(own, [given].compactMap(\.self) + listing + named.compactMap(\.self))
            if listed, let given { path["related_id"] = id(given, found, own) }
            if !listing.isEmpty {
                query = query.map { $0.name == "ids" ? ("ids", listing.map { id($0, found, own) }.joined(separator: ",")) : $0 }
            }
            if request.method == .put, given == nil { body?.name(own, found) }
            if let given, body?.keys(own).contains(where: { $0 != nil && $0 != given }) == true, found[given] != nil {
                throw Rejection.notAllowed(at: JSONPath().appending("data").appending(0).appending(own.field.apiName))
            }
            keys = given.map { [found[$0] == nil && RecordID($0) != nil ? nil : $0] } ?? (listing.isEmpty ? named : listing)
        }
        for reference in references where !reference.way.isEmpty {
            guard let values = body?.values(reference), !values.isEmpty else { continue }
            body?.replace(reference, try await ids(reference, values))
        }
        return Resolved(
            request: ParsedRequest(
                method: request.method, path: path, query: query, headers: request.headers, body: try bytes(body),
                upload: request.upload),
            names: ExternalNames(field: own?.field.apiName, keys: keys))
    }

    private func bytes(_ body: ExternalBody?) throws(Rejection) -> [UInt8] {
        guard let body else { return request.body }
        var value = try request.json().value
        value["data"] = .array(body.items)
        return value.encoded()
    }

    private func ids(_ reference: ExternalReference?, _ values: [String]) async throws -> [String: RecordID] {
        guard let reference, !values.isEmpty else { return [:] }
        return try await context.records.ids(of: values, in: reference.field, of: reference.module)
    }

    /// The id a value names. A plain id may stand in its place (related-records-using-external-id, 176).
    private func id(_ text: String, _ ids: [String: RecordID], _ reference: ExternalReference) -> String {
        ids[text].map { String($0.raw) } ?? (RecordID(text) == nil ? ExternalBody.nobody.string ?? "" : text)
    }
}
