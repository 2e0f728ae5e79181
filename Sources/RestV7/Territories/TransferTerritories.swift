import CRMCore
import HTTPShell
import Metadata
import Wire

/// Deletes territories whose children and records go to another one. Contract: territories, 1. The reference pages say POST; the
/// official Python client sends DELETE, with the same body.
struct TerritoryTransfer: OneOrManyInput {
    private static let most = 10

    let items: [JSONCursor]

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try Self.allow(context)
        items = try request.json().items("territories", limit: Self.most)
    }

    init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try Self.allow(context)
        guard let id = RecordID(request.path["item"] ?? "") else { throw .invalidPathID(0) }
        items = try request.json().items("territories", limit: 1).map { $0.naming(id) }
    }

    private static func allow(_ context: RequestContext) throws(Rejection) {
        try TerritorySetup.require(context.catalog)
        try context.access.require(permission: SettingsPermission.users)
    }

    func reply(_ context: RequestContext) async throws -> Reply {
        let items = items
        let results = try await context.changeEach(items) { item, scope in
            try Self.transfer(item, scope)
        }
        let message = "Given Territory Removed Successfully and its child Territories moved to the another territory"
        return .items("territories", results, saying: message)
    }

    private static func transfer(_ item: JSONCursor, _ scope: MetadataScope) throws -> RecordID {
        let tree = scope.catalog.territories
        let named = try item.required("id")
        let id = try named.recordID()
        guard let territory = tree[id], territory.parent != nil else { throw Rejection.invalid(at: named.path) }
        let target = try item.required("transfer_to_id")
        let heir = try target.recordID()
        _ = try item.required("delete_previous_forecasts").bool()
        // Above the territory's own level, and not where its children would come to anyway by their parent's place.
        let levels = tree.above(id).count
        guard tree[heir] != nil, heir != id, !tree.below(id).contains(heir), tree.above(heir).count < levels else {
            throw Rejection.invalid(at: target.path)
        }
        try TerritoryRemoval.remove(id, heir: heir, scope)
        try scope.remove([id])
        return id
    }
}

enum TransferTerritories: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/territories/actions/transfer_and_delete", entry: "1", scope: .fixed(["ZohoCRM.settings.territories.ALL"]))
    static func respond(_ input: TerritoryTransfer, _ context: RequestContext) async throws -> Reply { try await input.reply(context) }
}

enum TransferTerritoriesByDelete: SameWork {
    typealias Work = TransferTerritories
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/territories/actions/transfer_and_delete", entry: "1",
        scope: .fixed(["ZohoCRM.settings.territories.ALL"]))
}

/// The territory of the path.
enum TransferTerritory: ForOne {
    typealias Work = TransferTerritories
    static let declaration = Declaration(
        .post, "/crm/v7/settings/territories/{item}/actions/transfer_and_delete", entry: "1",
        scope: .fixed(["ZohoCRM.settings.territories.ALL"]))
}

enum TransferTerritoryByDelete: ForOne {
    typealias Work = TransferTerritories
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/territories/{item}/actions/transfer_and_delete", entry: "1",
        scope: .fixed(["ZohoCRM.settings.territories.ALL"]))
}
