import CRMCore
import HTTPShell
import Metadata
import Wire

/// Finds records by criteria, e-mail, phone or word. Contract: records, 131.
enum SearchRecords: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/search", entry: "131", also: ["174"],
        scope: .all([.modules(["READ"]), .fixed(["ZohoSearch.securesearch.READ"])]))

    struct Input: EndpointInput {
        let query: Query
        let page: PageRequest

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let module = try request.module(context)
            guard let search = try SearchRecords.condition(request, module) else {
                throw Rejection(.expectedParamMissing, .other("expected_params", ["criteria", "email", "phone", "word"]))
            }
            let named = request.query("fields").flatMap { $0.isEmpty ? nil : $0 }
            let fields =
                named == nil
                ? module.fields.filter { !$0.columns.isEmpty || $0.apiName == "Tag" || $0.isPerUser } : try RecordPage.fields(named, module)
            page = try PageRequest(request, context, pastLimit: .limitReached)
            let filter = try ListFilter.converted(request.query("converted"), module).and(ListFilter.approved(request.query("approved")))
                .and(search)
            var query = Query(module, fields: fields, filter: filter, order: page.order, page: page.start, limit: page.perPage)
            if ["sort_by", "sort_order"].allSatisfy({ (request.query($0) ?? "").isEmpty }) { query.words = SearchRecords.words(request) }
            self.query = query
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await RecordPage.answer(input.query, input.page, context)
    }

    /// What is searched for: the first given of criteria, email, phone and word. `nil` when none is.
    static func condition(_ request: ParsedRequest, _ module: Module) throws(Rejection) -> Condition? {
        if let text = request.query("criteria"), !text.isEmpty { return try CriteriaParser(module).parse(text) }
        func any(_ dataType: String, _ comparator: Comparator, _ text: String, whole: String? = nil) -> Condition {
            let whole = whole ?? text
            let fields = module.fields.filter { $0.type.dataType == dataType && !$0.columns.isEmpty }
            // An encrypted field can be asked for a whole value only.
            return .any(
                fields.map { .test(field: $0.apiName, $0.isEncrypted ? .equal : comparator, [.string($0.isEncrypted ? whole : text)]) })
        }
        if let text = try given("email", request) { return any("email", .equal, text) }
        if let text = try given("phone", request) {
            // Two digits name half the numbers there are; letters are part of extensions only.
            let digits = text.filter { ("0"..."9").contains($0) }
            return digits.count < 3 ? any("phone", .contains, text) : any("phone", .digits, digits, whole: text)
        }
        return try given("word", request).map { WordSearch($0).condition(module) }
    }

    /// The words searched for, when nothing that goes before them is given.
    static func words(_ request: ParsedRequest) -> WordSearch? {
        guard ["criteria", "email", "phone"].allSatisfy({ (request.query($0) ?? "").isEmpty }), let text = request.query("word"),
            !text.isEmpty
        else { return nil }
        return WordSearch(text)
    }

    /// At least two characters (`records.md`, 131).
    static func given(_ name: String, _ request: ParsedRequest) throws(Rejection) -> String? {
        guard let text = request.query(name), !text.isEmpty else { return nil }
        // In Unicode scalars: what readers see as one sign may be several.
        guard text.unicodeScalars.count(where: { !$0.properties.isWhitespace }) >= 2 else { throw .invalidParameter(name) }
        return text
    }
}
