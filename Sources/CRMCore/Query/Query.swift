import Metadata
import Wire

/// What is asked of one module: which fields of which records, in which order.
package struct Query: Sendable {
    package enum Page: Sendable {
        case offset(Int)
        /// Beyond the row that held this sort value and id.
        case after(key: Int64?, id: RecordID)
        /// The rows just ahead of that one, in the order of the list.
        case before(key: Int64?, id: RecordID)
    }
    package struct Order: Sendable {
        /// A field whose values are whole numbers in storage (ids and times), so that a page can go on after any row.
        package let field: String
        package let descending: Bool
        package init(field: String, descending: Bool) {
            self.field = field
            self.descending = descending
        }

        var reversed: Order { Order(field: field, descending: !descending) }
    }

    package private(set) var module: Module
    /// `nil` asks for everything, system keys included.
    package var fields: [Field]?
    package var filter: Condition
    package var order: Order
    package var page: Page
    package var limit: Int
    /// Values of the rows that join these records to another one.
    package var link: LinkValues?
    /// Puts records first that are named like the words searched for; the order then is that of the rank.
    package var words: WordSearch?
    /// How much a record shows of what hangs on it.
    package var depth: Depth = .list

    package enum Depth: Sendable {
        /// Its own values only.
        case list
        /// With the rows of its subforms and multi-select lookups, as a record fetched by itself.
        case single
        /// As a row inside such a record.
        case row
    }
    /// Members that are the same in every record, after its fields.
    package let constants: [JSONValue.Member]
    /// Asks for these instead of fields; `order` is theirs then.
    package var terms: QueryTerms?

    package init(
        _ module: Module, fields: [Field]?, filter: Condition = .always, order: Order = .init(field: "id", descending: true),
        page: Page = .offset(0),
        limit: Int = 200, constants: [JSONValue.Member] = []
    ) {
        self.module = module
        self.fields = fields
        self.filter = filter
        self.order = order
        self.page = page
        self.limit = limit
        self.constants = constants
    }
}

extension Query {
    /// The same question to the module as `catalog` shows it, without the fields that are not there.
    func seen(in catalog: Catalog) -> Query {
        guard let module = catalog.module(id: module.id), module !== self.module else { return self }
        var query = self
        query.module = module
        query.fields = fields?.filter { module.field($0.id) != nil }
        return query
    }
}
