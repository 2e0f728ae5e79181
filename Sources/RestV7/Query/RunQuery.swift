import CRMCore
import HTTPShell
import Metadata
import Wire

/// Asks by a query in COQL. Contract: query-api, 259.
enum RunQuery: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/coql", entry: "259", scope: .all([.fixed(["ZohoCRM.coql.READ"]), .modules(["READ"])]), upTo: 3)

    /// 1, 2 or 3 credits for a limit of at most 200, 1000 or 2000 rows (common, §13).
    static func load(_ input: Input) -> CallLoad {
        let limit = input.query.query.limit
        return CallLoad(credits: limit <= 200 ? 1 : limit <= 1000 ? 2 : 3)
    }

    struct Input: EndpointInput {
        let query: COQLQuery
        let includeFields: Bool

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let body = try request.json()
            let text = try body.required("select_query").string()
            includeFields = try Self.includesFields(body, context)
            query = try COQLQuery(
                text, context.catalog, user: context.access.user,
                dates: MovingDates(now: context.now, zone: context.zone, of: context.catalog))
            for module in query.modules { try context.requireScope(["READ"], on: module) }
        }

        private static func includesFields(_ body: JSONCursor, _ context: RequestContext) throws(Rejection) -> Bool {
            guard let given = body.optional("include_meta"), !given.value.isNull else { return false }
            guard let names = given.value.array, !names.isEmpty, names.allSatisfy({ $0 == "fields" }) else {
                throw Rejection(.invalidQuery, .apiName("include_meta"), .jsonPath(given.path), .supportedValues(["fields"]))
            }
            guard let scope = Scope("ZohoCRM.settings.fields.READ"), context.scopes.covers(scope) else { throw .scopeMismatch }
            return true
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let (records, page) = try await context.records.page(input.query.query)
        if page.count == 0 { return .nothing }
        var json = JSONWriter(capacity: records.count + 256)
        json.beginObject()
        json.key("data")
        json.raw(records)
        if input.includeFields {
            json.key("fields")
            json.value(fields(input.query, context))
        }
        json.key("info")
        json.value(["count": .integer(page.count), "more_records": .bool(page.more)])
        json.endObject()
        return .bytes(json.finish())
    }

    private static func fields(_ query: COQLQuery, _ context: RequestContext) -> JSONValue {
        let answers = MetadataAnswers(catalog: context.catalog)
        return .object(query.fields.map { .init($0.name, answers.field($0.field, of: $0.module)) })
    }
}
