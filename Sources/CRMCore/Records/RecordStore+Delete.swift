import Metadata
import SQLStore
import Wire

extension RecordStore {
    /// Moves records to the recycle bin, and with them what has no life of its own: notes, attachments, subform rows.
    /// Those outside `condition` are unknown.
    package func delete(
        _ ids: [(id: RecordID, path: JSONPath)], _ module: Module, where condition: Condition = .always, _ scope: WriteScope
    ) throws -> [Result<RecordID, Rejection>] {
        try scope.access.require(.delete, module)
        let module = module.whole
        let rows = try Planner(scope.catalog, scope.access).rows(ids.map(\.id), of: module, for: .delete, where: condition, scope.tx)
        var going: [Record] = []
        let outcomes = ids.map { id, path -> Result<RecordID, Rejection> in
            guard let row = rows[id], !going.contains(where: { $0.id == id }) else {
                let unknown = Rejection(.invalidData, message: "the id given seems to be invalid", .id(id))
                return .failure(rows[id] == nil ? rows.refusal(of: id, else: unknown) : unknown)
            }
            if row.heldByMerge != nil { return .failure(Rejection(.recordLocked, .id(id))) }
            do throws(Rejection) { try LockingConfiguration.refuse(.delete, on: row, scope) } catch { return .failure(error) }
            going.append(row)
            return .success(id)
        }
        try bury(going, scope)
        return outcomes
    }

    /// `roots` names, for rows that go with a record, the record the caller deleted.
    private func bury(_ records: [Record], roots: [RecordID: RecordID] = [:], _ scope: WriteScope) throws {
        guard let module = records.first?.module else { return }
        for (owned, field) in Self.belongings(of: module, scope.catalog) {
            guard let table = owned.table, let column = field.columns.first else { continue }
            let ids = try scope.tx.rows("SELECT id FROM \(table) WHERE \(.memberIDs("\(column)", records.map(\.id.raw)))") {
                RecordID(raw: $0.integer(0) ?? 0)
            }
            guard !ids.isEmpty else { continue }
            let system = Planner(scope.catalog, .system("what belongs to a deleted record goes with it"))
            let rows = try system.rows(ids, of: owned, for: .delete, scope.tx)
            let going = ids.compactMap { rows[$0] }
            let below = going.map { row -> (RecordID, RecordID) in
                let parent = RecordID(raw: row[field].integer ?? 0)
                return (row.id, roots[parent] ?? parent)
            }
            try bury(going, roots: Dictionary(below, uniquingKeysWith: { first, _ in first }), scope)
        }
        try Graves.bury(records, as: .recycle, roots: roots, scope)
        try ChangeLog.append(records.map { .init(record: $0, kind: .deleted) }, scope)
    }

    /// The lookups by which rows belong to a record of `module` wholly.
    private static func belongings(of module: Module, _ catalog: Catalog) -> [(Module, Field)] {
        catalog.inbound(to: module.id).filter { entry in
            let owner: String? =
                switch entry.module.apiName {
                case "Notes", "Attachments": "Parent_Id"
                // Appointments go with their service (`services.md`, 145), and what they were moved from with them.
                case "Appointments__s": "Service_Name"
                case RescheduleHistory.module: "Appointment_Name"
                default: entry.module.generatedType == "subform" ? "Parent_Id" : nil
                }
            return entry.field.apiName == owner
        }.map { ($0.module, $0.field) }
    }
}
