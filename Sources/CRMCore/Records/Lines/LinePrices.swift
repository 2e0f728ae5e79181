import Metadata
import SQLStore
import Wire

/// What lines of products take from elsewhere: the price of the product where the caller gave none, and the amount of a
/// discount given as a percentage. Two statements for a whole batch.
struct LinePrices {
    private struct Listing: Hashable {
        let book: Int64
        let product: Int64
    }

    private let applies: Bool
    private var unit: [Int64: Double] = [:]
    /// The taxes of products, where lines are to take them.
    private var taxes: [Int64: JSONValue] = [:]
    private var listed: [Listing: Double] = [:]
    private var ranges: [Int64: [JSONValue]] = [:]

    init(_ edits: [RowEdits], _ module: Module, _ stored: [RecordID: [Record]], _ scope: WriteScope) throws {
        applies = module.holdsLines
        guard applies else { return }
        let items = edits.flatMap(\.edits).compactMap { edit -> JSONValue? in
            switch edit {
            case .add(let item), .change(_, let item): item.value
            case .remove: nil
            }
        }
        if TaxPreferences(scope.catalog).fillsLines { try readTaxes(items, scope) }
        let unpriced = items.filter { Self.isEmpty($0["List_Price"]) }
        let products = Set(unpriced.compactMap { Self.id($0["Product_Name"]) })
        let books = Set(unpriced.compactMap { Self.id($0["Price_Book_Name"]) })
        guard !products.isEmpty else { return }
        unit = try Self.unitPrices(products.sorted(), scope)
        if !books.isEmpty { try readBooks(books.sorted(), products.sorted(), scope) }
    }

    private static func unitPrices(_ products: [Int64], _ scope: WriteScope) throws -> [Int64: Double] {
        guard let module = scope.catalog.module("Products"), let table = module.table, let price = module.field("Unit_Price")?.columns.first
        else { return [:] }
        let rows = try scope.tx.rows("SELECT id, \(price) FROM \(table) WHERE \(.memberIDs("id", products)) AND \(price) IS NOT NULL") {
            ($0.integer(0) ?? 0, $0.real(1) ?? 0)
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// One more statement, only where the organisation wants it.
    private mutating func readTaxes(_ items: [JSONValue], _ scope: WriteScope) throws {
        let products = Set(items.filter { $0["Line_Tax"] == nil }.compactMap { Self.id($0["Product_Name"]) }).sorted()
        guard !products.isEmpty, let module = scope.catalog.module("Products"), let table = module.table,
            let column = module.field("Tax")?.columns.first
        else { return }
        let known = Tax.all(scope.catalog)
        try scope.tx.forEach("SELECT id, \(column) FROM \(table) WHERE \(.memberIDs("id", products)) AND \(column) IS NOT NULL") { row in
            let labels = try JSONValue.parse(row.text(1) ?? "[]").array ?? []
            let chosen = labels.compactMap { label in
                known.first { "\($0.name) - \($0.value) %" == (label.string ?? label["value"]?.string) }
            }
            guard !chosen.isEmpty else { return }
            taxes[row.integer(0) ?? 0] = .array(chosen.map { ["name": .string($0.name), "percentage": .real($0.value)] })
        }
    }

    private mutating func readBooks(_ books: [Int64], _ products: [Int64], _ scope: WriteScope) throws {
        guard let link = scope.catalog.module("Price_Books_X_Products"), let links = link.table,
            let book = link.field("Parent")?.columns.first,
            let product = link.field("Product")?.columns.first, let price = link.field("list_price")?.columns.first,
            let module = scope.catalog.module("Price_Books"), let table = module.table,
            let pricing = module.field("Pricing_Details")?.columns.first
        else { return }
        let found = try scope.tx.rows(
            """
            SELECT \(book), \(product), \(price) FROM \(links) WHERE \(.memberIDs("\(book)", books)) AND \(.memberIDs("\(product)", products)) \
            AND \(price) IS NOT NULL
            """
        ) { (Listing(book: $0.integer(0) ?? 0, product: $0.integer(1) ?? 0), $0.real(2) ?? 0) }
        listed = Dictionary(found, uniquingKeysWith: { first, _ in first })
        try scope.tx.forEach("SELECT id, \(pricing) FROM \(table) WHERE \(.memberIDs("id", books))") { row in
            ranges[row.integer(0) ?? 0] = try JSONValue.parse(row.text(1) ?? "[]").array
        }
    }

    /// The item with its price and its discount as amounts. What the item leaves out stands in the stored row.
    func completed(_ item: JSONCursor, _ stored: Record?) -> JSONCursor {
        guard applies else { return item }
        var value = item.value
        let quantity = Self.number(value["Quantity"]) ?? stored?["Quantity"].real ?? 0
        let product = Self.id(value["Product_Name"])
        if Self.isEmpty(value["List_Price"]), let product, stored == nil || product != stored?["Product_Name"].integer {
            if let price = price(of: product, in: Self.id(value["Price_Book_Name"]), quantity) { value["List_Price"] = .real(price) }
        }
        if let product, stored == nil, value["Line_Tax"] == nil, let own = taxes[product] { value["Line_Tax"] = own }
        if let percentage = LineMaths.percentage(value["Discount"]) {
            let price = Self.number(value["List_Price"]) ?? stored?["List_Price"].real ?? 0
            value["Discount"] = .real(LineMaths.share(percentage, of: price * quantity))
        }
        return JSONCursor(value, at: item.path)
    }

    /// A price book's price less the discount of the range the quantity falls into, or the product's own.
    private func price(of product: Int64, in book: Int64?, _ quantity: Double) -> Double? {
        guard let book, let base = listed[Listing(book: book, product: product)] ?? unit[product] else { return unit[product] }
        let range = (ranges[book] ?? []).first { range in
            (Self.number(range["from_range"]) ?? 0) <= quantity && quantity <= (Self.number(range["to_range"]) ?? .infinity)
        }
        return base - LineMaths.share(Self.number(range?["discount"]) ?? 0, of: base)
    }

    private static func isEmpty(_ value: JSONValue?) -> Bool { value == nil || value?.isNull == true || value == .string("") }
    private static func id(_ value: JSONValue?) -> Int64? { value.flatMap { ($0["id"] ?? $0).looseInt64 } }
    private static func number(_ value: JSONValue?) -> Double? { value?.double ?? value?.string.flatMap(Double.init) }
}
