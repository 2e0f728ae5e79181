import Metadata
import SQLStore
import Wire

extension RecordStore {
    /// Adds a copy of a record, with what the item says in place of what was there. Contract: records, 129.
    package func clone(_ id: RecordID, of module: Module, overriding item: JSONCursor, _ scope: WriteScope) throws -> Outcome {
        try scope.access.require(.create, module)
        guard let original = try Planner(scope.catalog, scope.access).rows([id], of: module, for: .view, scope.tx)[id] else {
            throw Rejection.invalidPathID(1)
        }
        var copy = Record(module, id: scope.ids.next())
        for field in module.fields where Self.isCopied(field, module) { copy.set(field, to: Array(original.columns(of: field))) }
        let tags = try TagStore.names(of: id, scope.tx)
        let outcome = try add(item, to: copy, tags: tags, scope)
        if case .success(let made) = outcome {
            try copySubforms(of: original, to: made.id, except: Set((item.value.members ?? []).map(\.name)), scope)
        }
        return outcome
    }

    /// What the system sets, numbers itself, or must not happen twice is left out.
    private static func isCopied(_ field: Field, _ module: Module) -> Bool {
        let never: Set<String> =
            switch module.apiName {
            case "Events": ["Recurring_Activity", "Remind_At"]
            case "Services__s": ["Status", "Unavailable_From", "Unavailable_Till"]
            case "Appointments__s": ["Status", "Reschedule_Count"]
            default: []
            }
        let everywhere: Set<String> = [
            "id", "Wizard", "Record_Image", "Data_Processing_Basis", "Data_Processing_Basis_Details", "Data_Source",
        ]
        return field.settable && field.creatable && !field.columns.isEmpty && field.type.dataType != "autonumber"
            && field.body["read_only"]?.bool != true
            && !never.contains(field.apiName) && !everywhere.contains(field.apiName)
    }

    /// Rows of the subforms the caller did not name, under new ids.
    private func copySubforms(of original: Record, to copy: RecordID, except named: Set<String>, _ scope: WriteScope) throws {
        let system = Planner(scope.catalog, .system("subform rows are seen with their record"))
        for (owned, field) in scope.catalog.inbound(to: original.module.id)
        where owned.generatedType == "subform" && field.apiName == "Parent_Id" {
            let subform = original.module.fields.first { $0.type.dataType == "subform" && $0.apiName == owned.apiName }
            guard !named.contains(subform?.apiName ?? owned.apiName), let table = owned.table, let column = field.columns.first else {
                continue
            }
            let ids = try scope.tx.rows("SELECT id FROM \(table) WHERE \(column) = \(original.id) ORDER BY id") {
                RecordID(raw: $0.integer(0) ?? 0)
            }
            let rows = try system.rows(ids, of: owned, for: .view, scope.tx)
            let copies = ids.compactMap { rows[$0] }.map { row -> Record in
                var made = row
                made.values[0] = .id(scope.ids.next())
                made.values[owned.versionSlot] = .integer(0)
                made[field] = .id(copy)
                for name in ["Created_Time", "Modified_Time"] { made[name] = .init(scope.now) }
                for name in ["Created_By", "Modified_By"] { made[name] = .integer(scope.access.user.raw) }
                return made
            }
            try scope.tx.insert(into: table, owned.storedColumns.map(\.name), rows: copies.map(\.values))
            try ChangeLog.append(copies.map { .init(record: $0, kind: .added) }, scope)
        }
    }
}
