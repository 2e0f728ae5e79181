import CRMCore
import HTTPShell
import Metadata
import Wire

/// The fields of a score that answers may have, of which a call names some. Contract: scoring-rules, 15.
private struct ScoreFields {
    private static let known = [
        "Positive_Score", "Negative_Score", "Score", "Touch_Point_Score", "Touch_Point_Positive_Score", "Touch_Point_Negative_Score",
        "Scoring_Rule",
        // The page does not have it, the SDK does: whose score this is.
        "Entity",
    ]

    private let names: [String]

    init(_ request: ParsedRequest) throws(Rejection) {
        guard let text = request.query("fields"), !text.isEmpty else { throw .missingParameter("fields") }
        let wanted = text.split(separator: ",").map { String($0.filter { $0 != " " }) }
        names = Self.known.filter(wanted.contains)
    }

    func json(_ score: EntityScore, _ catalog: Catalog) -> JSONValue {
        func number(_ value: Int64?) -> JSONValue { value.map { .integer($0) } ?? .null }
        return .object(
            [.init("id", .id(score.id))]
                + names.map { name in
                    let value: JSONValue =
                        switch name {
                        case "Positive_Score": number(score.positive)
                        case "Negative_Score": number(score.negative)
                        case "Score": number(score.score)
                        case "Touch_Point_Score": number(score.touch)
                        case "Touch_Point_Positive_Score": number(score.touchPositive)
                        case "Touch_Point_Negative_Score": number(score.touchNegative)
                        case "Entity": ["id": .id(score.record), "module": score.module.shown]
                        default:
                            [
                                "name": catalog.documents(.scoringRule).first { $0.id == score.rule }?.body["name"] ?? .null,
                                "id": .id(score.rule),
                            ]
                        }
                    return .init(name, value)
                })
    }
}

/// A page of scores, with the tokens that lead to the next one.
private struct ScorePage {
    let fields: ScoreFields
    var question = ScoreQuestion()
    private let binding: PageToken.Binding
    private let page: Int

    init(_ request: ParsedRequest, _ context: RequestContext, of place: String) throws(Rejection) {
        fields = try ScoreFields(request)
        try Self.readOrder(request, &question)
        let parameters = ["scores", place, question.order.rawValue, question.descending ? "desc" : "asc", request.query("ids") ?? ""]
        binding = PageToken.Binding(
            key: context.services.pageKey, user: context.access.user.raw, parameters: parameters.joined(separator: "\u{1F}"))
        if let text = request.query("page_token"), !text.isEmpty {
            for other in ["page", "per_page"] where !(request.query(other) ?? "").isEmpty {
                throw Rejection(
                    .ambiguityDuringProcessing, .other("ambiguity_due_to", [["param": .string(other)], ["param": "page_token"]]))
            }
            let token = try PageToken(text, binding, now: context.now)
            question.after = token.id
            question.limit = Int(token.key ?? 200)
            page = token.page
            return
        }
        let numbered = try NumberedPage(request).within(2_000, or: .discretePaginationLimitExceeded)
        page = numbered.page
        question.limit = numbered.perPage
        question.skipping = numbered.skipped
    }

    private static func readOrder(_ request: ParsedRequest, _ question: inout ScoreQuestion) throws(Rejection) {
        if let name = request.query("sort_by"), !name.isEmpty {
            guard let order = ScoreQuestion.Order(rawValue: name) else {
                throw Rejection(.invalidData, .parameter("sort_by"), .supportedValues(ScoreQuestion.Order.allCases.map(\.rawValue)))
            }
            question.order = order
        }
        switch request.query("sort_order")?.lowercased() {
        case nil, "", "asc": question.descending = false
        case "desc": question.descending = true
        default: throw Rejection(.invalidData, .parameter("sort_order"), .supportedValues(["asc", "desc"]))
        }
    }

    /// Only the order of ids can be gone on with by a token.
    func reply(_ found: [EntityScore], more: Bool, _ context: RequestContext) -> Reply {
        guard !found.isEmpty else { return .nothing }
        var next: JSONValue = .null
        var expiry: JSONValue = .null
        if more, question.order == .id, let last = found.last {
            let expires = Instant(milliseconds: context.now.milliseconds + PageToken.lifetime)
            let token = PageToken(.forward, key: Int64(question.limit), id: last.id, page: page + 1, passed: 0, expires: expires)
            next = .string(token.sealed(binding))
            expiry = context.shown(expires)
        }
        return .json([
            "data": .array(found.map { fields.json($0, context.catalog) }),
            "info": [
                "per_page": .integer(question.limit), "next_page_token": next, "count": .integer(found.count), "page": .integer(page),
                "previous_page_token": .null, "page_token_expiry": expiry, "more_records": .bool(more),
            ],
        ])
    }
}

/// The scores of one record, one for each rule that gave it something. Contract: scoring-rules, 15.
enum GetRecordScores: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/Entity_Scores__s", entry: "15",
        scope: .all([.fixed(["ZohoCRM.modules.entity_scores.READ"]), .modules(["READ"])]))

    struct Input: EndpointInput {
        fileprivate let page: ScorePage

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let module = try request.module(context)
            guard ScoringRule.supports(module) else { throw .invalidModule() }
            let id = try request.recordID()
            var page = try ScorePage(request, context, of: "\(module.apiName) \(id)")
            page.question.record = (id, module)
            self.page = page
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let (found, more) = try await context.records.scores(input.page.question) else {
            throw Rejection(.invalidData, message: "the related id given seems to be invalid", .resourcePathIndex(1))
        }
        return input.page.reply(found, more: more, context)
    }
}

/// All scores that the caller sees, as the SDK asks for them. Contract: scoring-rules, 15.
enum ListScores: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/Entity_Scores__s", entry: "15", scope: .fixed(["ZohoCRM.modules.entity_scores.READ"]))

    struct Input: EndpointInput {
        fileprivate let page: ScorePage

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            var page = try ScorePage(request, context, of: "")
            if let text = request.query("ids"), !text.isEmpty { page.question.ids = try ParsedRequest.ids(text, "ids", limit: 100) }
            self.page = page
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let (found, more) = try await context.records.scores(input.page.question) else { return .nothing }
        return input.page.reply(found, more: more, context)
    }
}

/// One score by its own id, or those of a record. Contract: scoring-rules, 15.
enum GetScore: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/Entity_Scores__s/{id}", entry: "15", scope: .fixed(["ZohoCRM.modules.entity_scores.READ"]))

    struct Input: EndpointInput {
        fileprivate let page: ScorePage

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let id = try request.recordID()
            var page = try ScorePage(request, context, of: id.description)
            page.question.ids = [id]
            self.page = page
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let (found, more) = try await context.records.scores(input.page.question), !found.isEmpty else {
            throw Rejection.invalidPathID(1)
        }
        return input.page.reply(found, more: more, context)
    }
}
