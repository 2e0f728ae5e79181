import Metadata
import SQLStore
import Wire

extension RecordStore {
    /// Adds a copy of a record, with what the item says in place of what was there. Contract: records, 129.
    package func clone(_ id: RecordID, of module: Module, overriding item: JSONCursor, _ scope: WriteScope) throws -> Outcome {
        try scope.access.require(.create, module)
        let module = module.whole
        guard let original = try Planner(scope.catalog, scope.access).rows([id], of: module, for: .view, scope.tx)[id] else {
            throw Rejection.invalidPathID(1)
        }
        var copy = Record(module, id: scope.ids.next())
        for field in module.fields where Self.isCopied(field, module) && scope.access.right(on: field) == .readWrite {
            copy.set(field, to: Array(original.columns(of: field)))
        }
        let tags = try TagStore.names(of: id, scope.tx)
        var value = item.value
        for (name, rows) in try rowItems(of: original, except: Set((value.members ?? []).map(\.name)), scope) { value[name] = .array(rows) }
        return try add(JSONCursor(value, at: item.path), to: copy, tags: tags, scope)
    }

    /// What the system sets, numbers itself, or must not happen twice is left out.
    static func isCopied(_ field: Field, _ module: Module) -> Bool {
        let never: Set<String> =
            switch module.apiName {
            case "Events": ["Recurring_Activity", "Remind_At"]
            case "Services__s": ["Status", "Unavailable_From", "Unavailable_Till"]
            case "Appointments__s":
                // A copy has neither been moved nor called off.
                [
                    "Status", "Reschedule_Count", "Rescheduled_From", "Rescheduled_To", "Rescheduled_Time", "Rescheduled_By",
                    "Reschedule_Reason", "Reschedule_Note", "Cancellation_Reason", "Cancellation_Note", "Job_Sheet_Name__s",
                    "Job_Sheet_Section__s", "Job_Sheet_Description__s",
                ]
            default: []
            }
        let everywhere: Set<String> = [
            "id", "Wizard", "Record_Image", "Data_Processing_Basis", "Data_Processing_Basis_Details", "Data_Source",
        ]
        return field.settable && field.creatable && !field.columns.isEmpty && field.type.dataType != "autonumber"
            && field.body["read_only"]?.bool != true && !field.isExternal
            && !never.contains(field.apiName) && !everywhere.contains(field.apiName)
    }

    /// Rows of the subforms and multi-select lookups the caller did not name, as a caller would send them: the copy's pass the same checks and sums.
    func rowItems(of original: Record, except named: Set<String>, _ scope: WriteScope) throws -> [(String, [JSONValue])] {
        let system = Planner(scope.catalog, .system("subform rows are seen with their record"))
        var found: [(String, [JSONValue])] = []
        for field in original.module.fields where !named.contains(field.apiName) {
            guard scope.access.right(on: field) == .readWrite else { continue }
            guard let rows = RowField(field, scope.catalog), let table = rows.module.table, let column = rows.parent.columns.first else {
                continue
            }
            let ids = try scope.tx.rows(
                "SELECT id FROM \(table) WHERE \(column) = \(original.id) ORDER BY id LIMIT \(.integer(Int64(RowField.limit)))"
            ) { RecordID(raw: $0.integer(0) ?? 0) }
            let records = try system.rows(ids, of: rows.module, for: .view, scope.tx)
            let items = ids.compactMap { records[$0] }.map { item(of: $0, rows, scope.access) }
            if !items.isEmpty { found.append((field.apiName, items)) }
        }
        return found
    }

    private func item(of row: Record, _ rows: RowField, _ access: AccessPolicy) -> JSONValue {
        .object(
            row.module.fields.compactMap { field in
                guard field.settable, field.creatable, field !== rows.parent, !row[field].isNull, field.apiName != "id",
                    access.right(on: field) == .readWrite
                else { return nil }
                return JSONValue.Member(field.apiName, sent(row[field], field))
            })
    }

    /// A stored value in the form of a request.
    private func sent(_ value: SQLValue, _ field: Field) -> JSONValue {
        switch field.type.cell {
        case .lookup, .anyLookup, .user, .layout: ["id": .string(String(value.integer ?? 0))]
        case .digits: .string(String(value.integer ?? 0))
        case .flag: .bool(value.integer == 1)
        case .instant: .string(Instant(milliseconds: value.integer ?? 0).iso(offsetMinutes: 0))
        case .json: value.text.flatMap { try? JSONValue.parse($0) } ?? .null
        default: value.json
        }
    }
}
