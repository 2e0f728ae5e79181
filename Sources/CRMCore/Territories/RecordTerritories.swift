import Metadata
import SQLStore
import Wire

/// Which records stand in which territories. Owns `sys_record_territory`; the territories themselves are in the catalog.
package enum RecordTerritories {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_record_territory (record_id \(.type(.integer)) NOT NULL, territory_id \(.type(.integer)) NOT NULL,
            module_id \(.type(.integer)) NOT NULL, manual \(.type(.integer)) NOT NULL, assigned_by \(.type(.integer)),
            assigned_at \(.type(.integer)) NOT NULL, PRIMARY KEY (record_id, territory_id))\(.strict)
        """,
        "CREATE INDEX sys_record_territory_records ON sys_record_territory (territory_id, module_id, record_id)",
    ]

    private static let columns: [ColumnName] = ["record_id", "territory_id", "module_id", "manual", "assigned_by", "assigned_at"]

    /// A record's place in one territory.
    package struct Assignment: Sendable, Hashable {
        package let territory: RecordID
        /// By a person rather than by criteria.
        package let manual: Bool
        package let by: UserID?
        package let at: Instant

        var json: JSONValue {
            [
                "territory": .id(territory), "manual": .bool(manual), "by": by.map { .string(String($0.raw)) } ?? .null,
                "at": .integer(at.milliseconds),
            ]
        }

        init(territory: RecordID, manual: Bool, by: UserID?, at: Instant) {
            self.territory = territory
            self.manual = manual
            self.by = by
            self.at = at
        }

        init?(_ json: JSONValue) {
            guard let territory = json["territory"]?.looseInt64 else { return nil }
            self.init(
                territory: RecordID(raw: territory), manual: json["manual"]?.bool ?? false,
                by: json["by"]?.looseInt64.map(UserID.init(raw:)), at: Instant(milliseconds: json["at"]?.int64 ?? 0))
        }
    }

    /// The territories of a record as a JSON array for `TerritoryValueWriter`, for a SELECT list.
    static func json(of record: SQL) -> SQL {
        let members: [(String, SQL)] = [("id", "x.territory_id"), ("manual", "x.manual"), ("by", "x.assigned_by"), ("at", "x.assigned_at")]
        return """
            (SELECT \(.jsonArray(members)) FROM (SELECT r.territory_id, r.manual, r.assigned_by, r.assigned_at FROM sys_record_territory r \
            WHERE r.record_id = \(record) ORDER BY r.assigned_at, r.territory_id) x)
            """
    }

    /// The predicate that a record of `module` stands in one of these territories. Rights and filters are made of it.
    package static func holds(_ module: Module, alias: String, in territories: [RecordID]) -> SQL {
        """
        \("id", of: alias) IN (SELECT rt.record_id FROM sys_record_territory rt WHERE \(.memberIDs("rt.territory_id", territories.map(\.raw).sorted())) \
        AND rt.module_id = \(.literal(module.id.raw)))
        """
    }

    static func held(by records: [RecordID], _ tx: Transaction) throws -> [RecordID: [Assignment]] {
        var held: [RecordID: [Assignment]] = [:]
        try tx.forEach(
            """
            SELECT record_id, territory_id, manual, assigned_by, assigned_at FROM sys_record_territory \
            WHERE \(.memberIDs("record_id", records.map(\.raw))) ORDER BY record_id, assigned_at, territory_id
            """
        ) { row in
            let assignment = Assignment(
                territory: RecordID(raw: row.integer(1) ?? 0), manual: row.integer(2) == 1, by: row.integer(3).map(UserID.init(raw:)),
                at: Instant(milliseconds: row.integer(4) ?? 0))
            held[RecordID(raw: row.integer(0) ?? 0), default: []].append(assignment)
        }
        return held
    }

    static func add(_ rows: [(RecordID, Assignment)], of module: ModuleID, _ tx: Transaction) throws {
        try tx.insert(
            into: "sys_record_territory", columns,
            rows: rows.map { record, place in
                [
                    .integer(record.raw), .integer(place.territory.raw), .integer(module.raw), .integer(place.manual ? 1 : 0),
                    .init(place.by?.raw), .integer(place.at.milliseconds),
                ]
            })
    }

    /// Takes records out of territories; one statement for each territory concerned.
    static func remove(_ rows: [(record: RecordID, territory: RecordID)], _ tx: Transaction) throws {
        for (territory, group) in Dictionary(grouping: rows, by: \.territory).sorted(by: { $0.key < $1.key }) {
            let records = group.map(\.record.raw).sorted()
            try tx.execute("DELETE FROM sys_record_territory WHERE territory_id = \(territory) AND \(.memberIDs("record_id", records))")
        }
    }

    /// Notes in the change log where records stood and stand.
    static func log(
        _ records: [RecordID], of module: ModuleID, from before: [RecordID: [Assignment]], to after: [RecordID: [Assignment]],
        _ scope: WriteScope
    ) throws {
        let changed = records.filter { Set(before[$0] ?? []) != Set(after[$0] ?? []) }
        try ChangeLog.append(
            changed.map { id in
                .init(
                    module, id, .territories, before: .array((before[id] ?? []).map(\.json)), after: .array((after[id] ?? []).map(\.json)))
            }, scope)
    }

    /// Where people put a record that is converted, the records made of it stand too, as far as their module has room. What criteria say
    /// follows by itself.
    static func carry(from record: Record, to heirs: [Record], _ scope: WriteScope) throws {
        guard scope.catalog.hasTerritories else { return }
        let heirs = heirs.filter { TerritorySetup.supports($0.module) }
        let before = try held(by: [record.id] + heirs.map(\.id), scope.tx)
        let given = (before[record.id] ?? []).filter { $0.manual && scope.catalog.territories[$0.territory] != nil }
        guard !given.isEmpty else { return }
        // At most a contact, an account and a deal.
        for heir in heirs {
            let held = before[heir.id] ?? []
            let room = max(0, (TerritorySetup.limits[heir.module.apiName] ?? 0) - held.count)
            let places = given.filter { place in !held.contains { $0.territory == place.territory } }.prefix(room).map {
                Assignment(territory: $0.territory, manual: true, by: scope.access.user, at: scope.now)
            }
            guard !places.isEmpty else { continue }
            try add(places.map { (heir.id, $0) }, of: heir.module.id, scope.tx)
            try log([heir.id], of: heir.module.id, from: before, to: [heir.id: held + places], scope)
        }
    }

    /// Gives records exactly these places.
    static func replace(_ places: [Assignment], of record: RecordID, in module: ModuleID, _ tx: Transaction) throws {
        try tx.execute("DELETE FROM sys_record_territory WHERE record_id = \(record)")
        try add(places.map { (record, $0) }, of: module, tx)
    }

    /// What records were in goes with them for good.
    static func forget(_ records: [Int64], _ tx: Transaction) throws {
        try tx.execute("DELETE FROM sys_record_territory WHERE \(.memberIDs("record_id", records))")
    }
}
