import CRMCore
import HTTPShell
import Metadata
import Wire

/// Contract: territories, U34.
enum ListTerritories: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/territories", entry: "U34", scope: .fixed(["ZohoCRM.settings.territories.READ"]))

    struct Input: EndpointInput {
        let page: NumberedPage
        let filter: TerritoryFilter
        let ids: Set<RecordID>?
        let criteria: Set<String>

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try TerritorySetup.require(context.catalog)
            page = try NumberedPage(request, most: TerritorySetup.most)
            filter = try TerritoryFilter(request)
            let wanted = request.query("ids").flatMap { $0.isEmpty ? nil : $0 }
            ids = wanted == nil ? nil : Set(try request.ids(limit: TerritorySetup.most))
            let keys = TerritorySetup.criteriaKeys.map(\.key)
            let included = (request.query("include") ?? "").split(separator: ",").map { String($0.filter { $0 != " " }) }
            guard included.allSatisfy(keys.contains) else { throw Rejection(.invalidData, .parameter("include"), .supportedValues(keys)) }
            criteria = Set(included)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = context.catalog.territories.all.filter { input.filter.accepts($0) && input.ids?.contains($0.id) ?? true }
        return input.page.reply("territories", found.map { TerritoryAnswer.json($0, criteria: input.criteria, context.catalog) })
    }
}

/// The territories directly below one. Contract: territories, 2.
enum ListChildTerritories: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/territories/{item}/__child_territories", entry: "2",
        scope: .fixed(["ZohoCRM.settings.territories.READ"]))

    struct Input: EndpointInput {
        let page: NumberedPage
        let filter: TerritoryFilter
        let territory: Territory

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            territory = try request.territory(context, "item", index: 0)
            page = try NumberedPage(request)
            filter = try TerritoryFilter(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let all = Set(TerritorySetup.criteriaKeys.map(\.key))
        let found = context.catalog.territories.children(of: input.territory.id).filter(input.filter.accepts)
        return input.page.reply("territories", found.map { TerritoryAnswer.json($0, criteria: all, context.catalog) })
    }
}

extension ParsedRequest {
    /// The territory that a parameter of the path names.
    func territory(_ context: RequestContext, _ parameter: String, index: Int) throws(Rejection) -> Territory {
        try TerritorySetup.require(context.catalog)
        guard let id = RecordID(path[parameter] ?? ""), let found = context.catalog.territories[id] else { throw .invalidPathID(index) }
        return found
    }

    /// The user that a parameter of the path names.
    func user(_ context: RequestContext, _ parameter: String, index: Int) throws(Rejection) -> User {
        guard let id = RecordID(path[parameter] ?? ""), let found = context.catalog.user(UserID(raw: id.raw)) else {
            throw .invalidPathID(index)
        }
        return found
    }
}
