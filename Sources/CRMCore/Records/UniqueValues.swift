import Metadata
import SQLStore
import Wire

/// Finds who holds given values of a field, comparing as the unique index does.
struct UniqueValues {
    struct Holder {
        let id: RecordID
        let owner: Int64?

        /// The documented refusal (`duplicates.md` A2).
        func clash(_ field: Field, _ module: Module, more: Bool, at path: JSONPath, _ catalog: Catalog) -> Rejection {
            let owner = self.owner.flatMap { catalog.user(UserID(raw: $0)) }?.reference ?? .null
            return Rejection(
                .duplicateData, .apiName(field.apiName), .jsonPath(path), .id(id),
                .other(
                    "duplicate_record",
                    [
                        "id": .id(id), "Owner": owner,
                        "module": ["api_name": .string(module.apiName), "id": .string(String(module.id.raw))],
                    ]),
                .other("more_records", .bool(more)))
        }
    }

    private let field: Field
    private let module: Module
    private let open: ColumnName?
    private let user: UserID

    /// `user` is whose own values are meant, where each user has some; `converted` says whether converted records count.
    init(_ field: Field, _ module: Module, for user: UserID, converted: Bool = true) {
        self.field = field
        self.module = module
        self.user = user
        open = converted ? nil : module.convertedField?.columns.first
    }

    /// As a write compares: with converted records where the organisation wants it (`duplicates.md`, A3), and always where a
    /// value may stand for an id.
    static func compared(_ field: Field, _ module: Module, _ catalog: Catalog, for user: UserID) -> UniqueValues {
        UniqueValues(field, module, for: user, converted: field.isExternal || DuplicateCheck(module, catalog)?.kind == .converted)
    }

    /// The form in which two values are the same.
    static func key(_ value: SQLValue) -> SQLValue {
        if case .text(let text) = value { .text(TextFolding.fold(text)) } else { value }
    }

    /// One statement for all values; the index on the folded form serves it.
    func holders(of values: [SQLValue], _ tx: Transaction) throws -> [SQLValue: [Holder]] {
        if field.isPerUser { return try ExternalValues.holders(of: values, field, module, for: user, tx) }
        guard let table = module.table, let column = field.columns.first, !values.isEmpty else { return [:] }
        let isText = field.type.storage == [.text]
        let compared: SQL = isText ? "\(.folded("\(column)"))" : "\(column)"
        let list = values.map { isText ? "\(.folded("\($0)"))" as SQL : "\($0)" }
        let owner: SQL = module.field("Owner") == nil ? "NULL" : "owner"
        var found: [SQLValue: [Holder]] = [:]
        let live: SQL = open.map { " AND (\($0) IS NULL OR \($0) = 0)" } ?? ""
        let sql: SQL =
            "SELECT id, \(column), \(owner) FROM \(table) WHERE \(column) IS NOT NULL AND \(compared) IN (\(.joined(list, by: ", ")))\(live) ORDER BY id"
        try tx.forEach(sql) { row in
            let holder = Holder(id: RecordID(raw: row.integer(0) ?? 0), owner: row.integer(2))
            found[Self.key(row.value(1, as: field.type.storage[0])), default: []].append(holder)
        }
        return found
    }
}
