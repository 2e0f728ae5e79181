import HTTPShell
import Wire

/// A page of a list that is asked for by number: the one reading of `page` and `per_page`, and the `info` that follows from it
/// (`common.md` §7).
struct NumberedPage: Sendable {
    let page: Int
    let perPage: Int

    /// A page longer than `most` is cut to it: the habit the contract observed.
    init(_ request: ParsedRequest, most: Int = 200) throws(Rejection) {
        page = try request.positive("page") ?? 1
        perPage = min(try request.positive("per_page") ?? most, most)
    }

    /// Refuses pages that end behind `limit` rows.
    func within(_ limit: Int, or code: ErrorCode) throws(Rejection) -> NumberedPage {
        guard page <= limit, page * perPage <= limit else { throw Rejection(code, .parameter("page")) }
        return self
    }

    var skipped: Int { (page - 1) * perPage }

    func info(_ count: Int, more: Bool) -> JSONValue {
        ["per_page": .integer(perPage), "count": .integer(count), "page": .integer(page), "more_records": .bool(more)]
    }

    /// The page of a list that is there as a whole; 204 behind its end.
    func reply(_ name: String, _ items: [JSONValue]) -> Reply {
        let shown = Array(items.dropFirst(skipped).prefix(perPage))
        guard !shown.isEmpty else { return .nothing }
        return .json(.object([.init(name, .array(shown)), .init("info", info(shown.count, more: items.count - skipped > perPage))]))
    }
}
