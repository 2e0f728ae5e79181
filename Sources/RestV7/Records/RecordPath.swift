import CRMCore
import HTTPShell
import Metadata
import Wire

extension ParsedRequest {
    /// The module of the path; one without records, or not open to the API, is as unknown as one that does not exist.
    func module(_ context: RequestContext) throws(Rejection) -> Module {
        guard let module = context.catalog.module(path["module"] ?? ""), module.table != nil, module.apiSupported else {
            throw .invalidModule()
        }
        return module
    }

    /// The module of the path, for writing. Rows of subforms are written through their record only.
    func writtenModule(_ context: RequestContext) throws(Rejection) -> Module {
        let module = try module(context)
        if module.isSubform { throw .invalidModule() }
        return module
    }

    /// The module of the path, for new records. A file comes with its attachment, which is added to a record only
    /// (photos-and-attachments, 195).
    func filledModule(_ context: RequestContext) throws(Rejection) -> Module {
        let module = try writtenModule(context)
        if module.apiName == "Attachments" { throw .invalidModule() }
        return module
    }

    /// A record id in the path. What is no id names no record.
    func recordID(_ name: String = "id", index: Int = 1) throws(Rejection) -> RecordID {
        guard let id = RecordID(path[name] ?? "") else { throw .invalidPathID(index) }
        return id
    }

    /// A moment in a header such as If-Modified-Since.
    func instant(header name: String) throws(Rejection) -> Instant? {
        guard let text = header(name), !text.isEmpty else { return nil }
        guard let instant = Instant(iso: text) else {
            throw Rejection(.invalidData, .other("header", .string(name)), .expectedType("datetime"))
        }
        return instant
    }

    /// A whole number of a parameter, from one to a bound beyond every list.
    func positive(_ name: String) throws(Rejection) -> Int? {
        guard let text = query(name), !text.isEmpty else { return nil }
        guard let number = Int(text) else { throw Rejection(.unableToParseDataType, .parameter(name)) }
        guard (1...1_000_000_000).contains(number) else { throw .invalidParameter(name) }
        return number
    }
}

extension JSONCursor {
    /// The same item under the id its path gives, whatever the body says.
    func naming(_ id: RecordID) -> JSONCursor {
        guard case .object = value else { return self }
        var value = value
        value["id"] = .id(id)
        return JSONCursor(value, at: path)
    }

    /// The ids by which items name what they are about, each with its place.
    static func ids(of items: [JSONCursor]) throws(Rejection) -> [(id: RecordID, path: JSONPath)] {
        try items.map { item throws(Rejection) in
            let id = try item.required("id")
            return (try id.recordID(), id.path)
        }
    }

    /// The items of a write body: an array under `name` of one to `limit` elements.
    func items(_ name: String, limit: Int = 100) throws(Rejection) -> [JSONCursor] {
        let array = try required(name)
        let elements = try array.elements()
        if elements.isEmpty { throw .tooShort(1, at: array.path) }
        guard elements.count <= limit else {
            throw Rejection(.limitExceeded, .apiName(name), .jsonPath(array.path), .other("limit", .integer(limit)), .maximumLength(limit))
        }
        return elements
    }
}
