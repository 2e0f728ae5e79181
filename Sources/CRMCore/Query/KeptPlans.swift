import Metadata
import SQLStore
import Synchronization
import Wire

/// Plans of the question asked most: records named by their ids, shown whole. Such a plan follows from the catalog, the user and the
/// number of ids, so it is made once and gets other ids in their places.
final class KeptPlans: Sendable {
    struct Key: Hashable {
        let user: UserID
        let module: ModuleID
        let depth: Query.Depth
        let limit: Int
        let constants: [JSONValue.Member]
        let count: Int
    }

    /// Where a plan's statement is kept once it is rendered, and what is put into it.
    struct Place: Sendable {
        let statements = SQLTemplates()
        var ids: [Int64]
    }

    /// A merge shows three.
    private static let mostIDs = 3
    /// Users and modules whose plans are kept. One is some hundred kilobytes where a user sees the records of thousands of others.
    private static let limit = 128
    private let plans = Mutex<[Key: QueryPlan]>([:])

    /// The ids a query is about, when it is such a question.
    static func ids(of query: Query) -> [RecordID]? {
        guard query.fields == nil, query.terms == nil, query.link == nil, query.words == nil, case .ids(let ids) = query.filter,
            (1...mostIDs).contains(ids.count), case .offset(0) = query.page, query.order.field == "id", query.order.descending
        else { return nil }
        return ids
    }

    /// `make` plans for the ids it is given.
    func plan(_ key: Key, _ ids: [RecordID], _ make: ([RecordID]) throws(Rejection) -> QueryPlan) throws(Rejection) -> QueryPlan {
        let values = ids.map(\.raw)
        if var known = plans.withLock({ $0[key] }) {
            known.place?.ids = values
            return known
        }
        var plan = try make(SQLTemplates.signs(key.count).map(RecordID.init(raw:)))
        plan.place = Place(ids: values)
        let made = plan
        plans.withLock { plans in
            if plans.count >= Self.limit { plans.remove(at: plans.startIndex) }
            plans[key] = made
        }
        return made
    }
}

extension QueryPlan {
    private static let only = SQLTemplates.Key("plan")

    /// The statement as the engine reads it. Ids are bound in every statement about ids, never part of its text.
    func rendered(_ tx: Transaction) -> RenderedSQL {
        guard let place else { return tx.rendered(sql) }
        return place.statements.statement(Self.only, place.ids, tx) { _ in sql }
    }
}
