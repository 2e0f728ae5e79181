import CRMCore
import HTTPShell
import Metadata
import Wire

/// The parameters by which lists of records are cut into pages, with their limits (`common.md` §7).
struct PageRequest: Sendable {
    /// Rows reachable by page number, and by token.
    private static let numberedLimit = 2_000, tokenLimit: Int64 = 100_000
    static let sortFields = ["id", "Created_Time", "Modified_Time"]

    /// What lists of a module can be sorted by (appointments-rescheduled-history, 154).
    static func sortFields(of module: Module) -> [String] {
        module.apiName == "Appointments_Rescheduled_History__s" ? sortFields + ["Rescheduled_From"] : sortFields
    }

    let perPage: Int
    let page: Int
    let order: Query.Order
    let token: PageToken?
    private let binding: PageToken.Binding

    /// `pastLimit` is the code for page numbers past the rows they reach: searches have one of their own.
    init(
        _ request: ParsedRequest, _ context: RequestContext, defaultOrder: Query.Order = .init(field: "id", descending: true),
        sortedBy sortFields: [String] = Self.sortFields, pastLimit: ErrorCode = .discretePaginationLimitExceeded
    ) throws(Rejection) {
        let numbered = try NumberedPage(request)
        perPage = numbered.perPage
        order = try Self.order(request, defaultOrder, sortFields)
        let tied = [
            "fields", "sort_by", "sort_order", "cvid", "ids", "converted", "approved", "territory_id", "include_child", "criteria", "word",
            "email", "phone",
        ]
        binding = PageToken.Binding(
            key: context.services.pageKey, user: context.access.user.raw,
            parameters: (request.path.sorted { $0.key < $1.key }.map(\.value) + tied.map { request.query($0) ?? "" }).joined(
                separator: "\u{1F}"))
        guard let text = request.query("page_token"), !text.isEmpty else {
            page = try numbered.within(Self.numberedLimit, or: pastLimit).page
            token = nil
            return
        }
        if let given = request.query("page"), !given.isEmpty {
            throw Rejection(.ambiguityDuringProcessing, .other("ambiguity_due_to", [["param": "page"], ["param": "page_token"]]))
        }
        let token = try PageToken(text, binding, now: context.now)
        guard token.passed < Self.tokenLimit else { throw Rejection(.paginationLimitExceeded, .parameter("page_token")) }
        self.token = token
        page = token.page
    }

    private static func order(_ request: ParsedRequest, _ standard: Query.Order, _ sortFields: [String]) throws(Rejection) -> Query.Order {
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
        guard let token else { return .offset((page - 1) * perPage) }
        return switch token.direction {
        case .forward: .after(key: token.key, id: token.id)
        case .backward: .before(key: token.key, id: token.id)
        }
    }

    /// The `info` object after a page.
    func info(_ result: RecordReader.Page, _ context: RequestContext) -> JSONValue {
        let expiry = Instant(milliseconds: context.now.milliseconds + PageToken.lifetime)
        let passed = token?.passed ?? Int64((page - 1) * perPage)
        func leading(_ direction: PageToken.Direction, _ from: RecordReader.Position?, _ page: Int, _ passed: Int64) -> JSONValue {
            guard let from else { return .null }
            return .string(PageToken(direction, key: from.key, id: from.id, page: page, passed: passed, expires: expiry).sealed(binding))
        }
        // Whoever goes back came from a later page.
        let more = result.more || token?.direction == .backward
        let next = more ? leading(.forward, result.last, page + 1, passed + Int64(result.count)) : .null
        let previous = page > 1 ? leading(.backward, result.first, page - 1, max(0, passed - Int64(perPage))) : .null
        return [
            "per_page": .integer(perPage), "next_page_token": next, "count": .integer(result.count), "sort_by": .string(order.field),
            "page": .integer(page),
            "previous_page_token": previous,
            "page_token_expiry": next.isNull && previous.isNull
                ? .null : .string(expiry.iso(offsetMinutes: context.zone.offsetMinutes(at: expiry))),
            "sort_order": order.descending ? "desc" : "asc", "more_records": .bool(more), "call": false, "email": false,
        ]
    }
}
