import CRMCore
import HTTPShell
import Metadata
import Wire

/// Finds users, as records are found. Contract: records, 131.
enum SearchUsers: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/users/search", entry: "131", scope: .fixed(["ZohoCRM.users.READ"]))

    struct Input: EndpointInput {
        /// As far as searches reach.
        private static let reach = 2_000

        let kind: UserKind
        let condition: Condition
        let page: NumberedPage
        let fields: Set<String>?
        let search: UserSearch

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            guard let module = context.catalog.module("Users") else { throw .invalidModule() }
            kind = try UserKind(request, search: true)
            search = UserSearch(module)
            guard let condition = try Self.condition(request, module, search) else {
                throw Rejection(.expectedParamMissing, .other("expected_params", ["criteria", "email", "phone", "word"]))
            }
            self.condition = condition
            page = try NumberedPage(request)
            if page.page > 1, page.page > Self.reach / page.perPage { throw Rejection(.limitReached, .parameter("page")) }
            let names = request.query("fields").flatMap {
                $0.isEmpty ? nil : $0.split(separator: ",").map { String($0.filter { $0 != " " }) }
            }
            fields = names.map { Set($0).union(["id"]) }
        }

        private static func condition(_ request: ParsedRequest, _ module: Module, _ search: UserSearch) throws(Rejection) -> Condition? {
            if let text = request.query("criteria"), !text.isEmpty { return try CriteriaParser(module).parse(text) }
            if let text = try SearchRecords.given("email", request) { return .test(field: "email", .equal, [.string(text)]) }
            if let text = try SearchRecords.given("phone", request) {
                return .any(["phone", "mobile"].map { .test(field: $0, .contains, [.string(text)]) })
            }
            return try SearchRecords.given("word", request).map { search.condition(words: $0) }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        var found: [JSONValue] = []
        for user in input.kind.users(context) where try input.search.accepts(user, input.condition) {
            let answer = UserAnswer.json(user, context)
            guard let fields = input.fields else {
                found.append(answer)
                continue
            }
            found.append(.object((answer.members ?? []).filter { fields.contains($0.name) }))
        }
        return input.page.reply("data", found)
    }
}
