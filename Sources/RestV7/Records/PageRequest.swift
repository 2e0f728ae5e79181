import CRMCore
import HTTPShell
import Metadata
import Wire

/// The parameters by which lists of records are cut into pages, with their limits (`common.md` §7).
struct PageRequest: Sendable {
    /// Rows reachable by page number, and by token.
    private static let numberedLimit = 2_000, tokenLimit: Int64 = 100_000
    static let sortFields = ["id", "Created_Time", "Modified_Time"]

    let perPage: Int
    let page: Int
    let order: Query.Order
    let token: PageToken?
    private let binding: String

    /// `binding` are the parameters a token is tied to, with the user they came from.
    init(_ request: ParsedRequest, _ context: RequestContext, defaultOrder: Query.Order = .init(field: "id", descending: true)) throws(Rejection) {
        // Above the maximum is cut to it: the habit the contract observed.
        perPage = min(try request.positive("per_page") ?? 200, 200)
        order = try Self.order(request, defaultOrder)
        let tied = ["fields", "sort_by", "sort_order", "cvid", "ids", "converted", "approved", "territory_id", "criteria", "word", "email", "phone"]
        binding = ([String(context.access.user.raw)] + request.path.sorted { $0.key < $1.key }.map(\.value) + tied.map { request.query($0) ?? "" })
            .joined(separator: "\u{1F}")
        guard let text = request.query("page_token"), !text.isEmpty else {
            page = try request.positive("page") ?? 1
            token = nil
            guard page <= Self.numberedLimit, page * perPage <= Self.numberedLimit else { throw Rejection(.discretePaginationLimitExceeded, .parameter("page")) }
            return
        }
        if let given = request.query("page"), !given.isEmpty {
            throw Rejection(.ambiguityDuringProcessing, .other("ambiguity_due_to", [["param": "page"], ["param": "page_token"]]))
        }
        let token = try PageToken(text, key: context.services.pageKey, binding: binding, now: context.now)
        guard token.passed < Self.tokenLimit else { throw Rejection(.paginationLimitExceeded, .parameter("page_token")) }
        self.token = token
        page = token.page
    }

    private static func order(_ request: ParsedRequest, _ standard: Query.Order) throws(Rejection) -> Query.Order {
        let field = request.query("sort_by").flatMap { $0.isEmpty ? nil : $0 }
        if let field, !sortFields.contains(field) { throw Rejection(.invalidData, .parameter("sort_by"), .supportedValues(sortFields)) }
        switch request.query("sort_order")?.lowercased() {
        case nil, "": return Query.Order(field: field ?? standard.field, descending: field == nil ? standard.descending : true)
        case "asc": return Query.Order(field: field ?? standard.field, descending: false)
        case "desc": return Query.Order(field: field ?? standard.field, descending: true)
        default: throw Rejection(.invalidData, .parameter("sort_order"), .supportedValues(["asc", "desc"]))
        }
    }

    var start: Query.Page {
        token.map { .after(key: $0.key, id: $0.id) } ?? .offset((page - 1) * perPage)
    }

    /// The `info` object after a page.
    func info(_ result: RecordReader.Page, _ context: RequestContext) -> JSONValue {
        let expiry = Instant(milliseconds: context.now.milliseconds + PageToken.lifetime)
        var next: JSONValue = .null
        if result.more, let last = result.last {
            let passed = (token?.passed ?? Int64((page - 1) * perPage)) + Int64(result.count)
            next = .string(PageToken(key: last.key, id: last.id, page: page + 1, passed: passed, expires: expiry).sealed(context.services.pageKey, binding))
        }
        return [
            "per_page": .integer(perPage), "next_page_token": next, "count": .integer(result.count), "sort_by": .string(order.field), "page": .integer(page),
            "previous_page_token": .null,
            "page_token_expiry": next.isNull ? .null : .string(expiry.iso(offsetMinutes: context.zone.offsetMinutes(at: expiry))),
            "sort_order": order.descending ? "desc" : "asc", "more_records": .bool(result.more), "call": false, "email": false,
        ]
    }
}
