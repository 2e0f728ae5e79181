import HTTPShell
import Wire

/// A page of a list that is asked for by number.
struct NumberedPage {
    let page: Int
    let perPage: Int

    init(_ request: ParsedRequest) throws(Rejection) {
        page = try request.positive("page") ?? 1
        perPage = min(try request.positive("per_page") ?? 200, 200)
    }

    var skipped: Int { (page - 1) * perPage }

    func info(_ count: Int, more: Bool) -> JSONValue {
        ["per_page": .integer(perPage), "count": .integer(count), "page": .integer(page), "more_records": .bool(more)]
    }
}
