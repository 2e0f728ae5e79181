import Metadata
import SQLStore
import Wire

/// Which records were converted, into what, when and by whom. What a lead became is in fields of its own as well; quotes and
/// orders have none.
package enum Conversions {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_conversion (record_id \(.type(.integer)) PRIMARY KEY, module_id \(.type(.integer)) NOT NULL,
            target_module \(.type(.integer)) NOT NULL, target_id \(.type(.integer)) NOT NULL, user_id \(.type(.integer)) NOT NULL,
            at \(.type(.integer)) NOT NULL)\(.strict)
        """
    ]

    /// Whether records of the module can be converted into others.
    package static func canConvert(_ module: Module) -> Bool { ["Leads", "Quotes", "Sales_Orders"].contains(module.apiName) }

    static func add(_ source: Record, into target: Record, _ scope: WriteScope) throws {
        try scope.tx.insert(
            into: "sys_conversion", ["record_id", "module_id", "target_module", "target_id", "user_id", "at"],
            rows: [
                [
                    .id(source.id), .integer(source.module.id.raw), .integer(target.module.id.raw), .id(target.id),
                    .integer(scope.access.user.raw), .init(scope.now),
                ]
            ])
    }

    static func holds(_ id: RecordID, _ tx: Transaction) throws -> Bool {
        try tx.first("SELECT 1 FROM sys_conversion WHERE record_id = \(id)") { _ in true } ?? false
    }

    /// A converted lead stays to be read, and is not changed any more (`metadata/conversions.md`, "Side effects").
    static func refuseChange(of record: Record) throws(Rejection) {
        if record.isConverted { throw changed(record.id) }
    }

    static func changed(_ id: RecordID) -> Rejection {
        Rejection(.convertedRecord, message: "can't update the converted record", .id(id))
    }

    /// Converted records are left out of what a view finds, unless its criteria speak of them.
    package static func condition(besides criteria: JSONValue, of module: Module) -> Condition {
        guard module.convertedField != nil, !mentions(criteria) else { return .always }
        return .test(field: Module.convertedName, .equal, [false])
    }

    private static func mentions(_ criteria: JSONValue) -> Bool {
        if let group = criteria["group"]?.array { return group.contains(where: mentions) }
        return (criteria["field"]?["api_name"] ?? criteria["field"])?.string == Module.convertedName
    }
}

extension Module {
    static let convertedName = "Converted__s"
    /// Where a record says that it was converted; only leads do.
    package var convertedField: Field? { field(Self.convertedName) }
}

extension Record {
    var isConverted: Bool { module.convertedField.map { self[$0].integer == 1 } ?? false }
}

extension RecordReader {
    private static let converted = JSONKey("$converted"), detail = JSONKey("$converted_detail")

    /// `$converted` and `$converted_detail` of a single record (`common.md` §11).
    static func writeConversion(_ plan: QueryPlan, _ row: borrowing Row, _ context: RenderContext, to json: inout JSONWriter) {
        guard let column = plan.conversion else { return }
        let isConverted = !row.isNull(column.user)
        json.key(converted)
        json.bool(isConverted)
        json.key(detail)
        json.value(isConverted ? detail(column, row, context) : [:])
    }

    private static func detail(_ column: QueryPlan.ConversionColumns, _ row: borrowing Row, _ context: RenderContext) -> JSONValue {
        let at = Instant(milliseconds: row.integer(column.user + 1) ?? 0)
        var detail: [JSONValue.Member] = [
            .init("convert_date", .string(at.iso(offsetMinutes: context.zone.offsetMinutes(at: at)))),
            .init("converted_by", .string(String(row.integer(column.user) ?? 0))),
        ]
        for (name, index) in column.targets {
            detail.append(.init(name, row.integer(index).map { .string(String($0)) } ?? .null))
        }
        if column.targets.isEmpty, let module = context.moduleNames[row.integer(column.user + 2) ?? 0] {
            detail.append(.init(module, .string(String(row.integer(column.user + 3) ?? 0))))
        }
        return .object(detail)
    }
}

extension QueryPlan {
    /// Where a plan reads what became of a record: by whom and when, then either the lookups that say so or the one target.
    struct ConversionColumns: Sendable {
        let user: Int
        let targets: [(name: String, column: Int)]
    }
}

extension Selection {
    /// The columns behind `$converted_detail`; `nil` where nothing is converted.
    mutating func addConversion(of module: Module) -> QueryPlan.ConversionColumns? {
        guard Conversions.canConvert(module) else { return nil }
        joins.append(" LEFT JOIN sys_conversion v ON v.record_id = t.id")
        let user = add("v.user_id")
        add("v.at")
        add("v.target_module")
        add("v.target_id")
        let lookups = [("account", "Converted_Account"), ("contact", "Converted_Contact"), ("deal", "Converted_Deal")]
        let targets = lookups.compactMap { name, field in
            module.field(field)?.columns.first.map { (name, add("\($0, of: "t")")) }
        }
        return .init(user: user, targets: targets)
    }
}
