import SQLStore

/// The table changes that lead from one catalog to the next. Dropped fields keep their columns; see `docs/ARCHITECTURE.md`.
package struct SchemaPlan: Sendable, Equatable {
    package enum Step: Sendable, Equatable {
        case createTable(TableName, [StoredColumn])
        case addColumn(TableName, StoredColumn, falseAtFirst: Bool)
        /// `open` names a flag: rows that have it set are left out of the index.
        case addIndex(IndexName, on: TableName, column: ColumnName, IndexKind, open: ColumnName?)
        /// One row of a linking module for each pair of linked records.
        case addPairIndex(IndexName, on: TableName, ColumnName, ColumnName)
        case dropIndex(IndexName)
    }

    /// `text` and `uniqueText` index the folded form, the others the value; only `time` includes empty rows.
    package enum IndexKind: Sendable, Equatable { case lookup, time, text, unique, uniqueText }

    package let steps: [Step]

    package static func between(_ old: Catalog?, _ new: Catalog) -> SchemaPlan {
        var steps: [Step] = []
        for module in new.modules {
            guard let table = module.table else { continue }
            guard let before = old?.module(id: module.id), before.table != nil else {
                steps.append(.createTable(table, module.storedColumns))
                steps += module.fields.flatMap { indexes(of: $0, in: module, table) }
                steps += pairIndex(of: module)
                continue
            }
            for field in module.fields {
                let known = before.field(field.id)
                // A field has other columns once its encryption is turned on or off.
                let there = known?.columns ?? []
                steps += field.storedColumns.filter { !there.contains($0.name) }
                    .map { .addColumn(table, $0, falseAtFirst: field.type.cell == .flag) }
                let had = known.map { indexes(of: $0, in: before, table) } ?? []
                let wanted = indexes(of: field, in: module, table)
                steps += wanted.filter { !had.contains($0) }
                for case .addIndex(let name, _, _, _, _) in had where !wanted.contains(where: { $0.names(name) }) {
                    steps.append(.dropIndex(name))
                }
            }
            steps += pairIndex(of: module).filter { !pairIndex(of: before).contains($0) }
            // A deleted field keeps its column until the next compaction; its index would only slow writes down.
            for field in before.fields where module.field(field.id) == nil {
                for case .addIndex(let name, _, _, _, _) in indexes(of: field, in: before, table) { steps.append(.dropIndex(name)) }
            }
        }
        return SchemaPlan(steps: steps)
    }

    /// Makes the indexes of unique fields anew where they came to leave converted records out.
    package static func reopening(_ catalog: Catalog) -> SchemaPlan {
        var steps: [Step] = []
        for module in catalog.modules {
            guard let table = module.table else { continue }
            for field in module.fields where field.unique {
                let wanted = indexes(of: field, in: module, table)
                for case .addIndex(let name, _, _, _, open: .some) in wanted {
                    steps.append(.dropIndex(name))
                    steps += wanted
                }
            }
        }
        return SchemaPlan(steps: steps)
    }

    /// Runs the steps inside the transaction that changes the metadata, so both commit or vanish together.
    package func execute(_ tx: Transaction) throws {
        for step in steps { try tx.execute(step.sql) }
    }

    package init(steps: [Step]) { self.steps = steps }

    /// Keeps two writers from linking the same two records twice. Rows that lack a side are no pair.
    package static func pairIndex(of module: Module) -> [Step] {
        guard let table = module.table, let (left, right) = module.linkPair, let one = left.columns.first, let other = right.columns.first
        else { return [] }
        return [.addPairIndex(IndexName(pairOf: right.id), on: table, one, other)]
    }

    /// The index on owners of a module's records, for databases older than it.
    package static func ownerIndex(of module: Module) -> SchemaPlan {
        guard let table = module.table, let owner = module.field("Owner") else { return SchemaPlan(steps: []) }
        return SchemaPlan(steps: indexes(of: owner, in: module, table))
    }

    private static func indexes(of field: Field, in module: Module, _ table: TableName) -> [Step] {
        // Sealed values are looked for by chance only.
        guard let column = field.columns.first, column.raw != "id", !field.isEncrypted else { return [] }
        func step(_ kind: IndexKind, open: ColumnName? = nil) -> Step {
            .addIndex(IndexName(kind, field.id), on: table, column: column, kind, open: open)
        }
        var found: [Step] = []
        if field.isRecordLookup { found.append(step(.lookup)) }
        // What lists can be sorted by; and by owner, for callers who see few owners' records.
        if ["Created_Time", "Modified_Time", "Rescheduled_From", "Owner"].contains(field.apiName) { found.append(step(.time)) }
        if field.unique {
            let isText = field.type.storage == [.text]
            // Values of converted records are free for others; whoever must not take them finds them in an index of all.
            let open = field.isExternal ? nil : module.field("Converted__s")?.columns.first
            found.append(step(isText ? .uniqueText : .unique, open: open))
            if open != nil { found.append(step(isText ? .text : .lookup)) }
        } else if field.type.dataType == "email" || field === module.displayField {
            found.append(step(.text))
        }
        return found
    }
}

/// The name of an index, made from its field so that an engine's complaint leads back to it.
package struct IndexName: Sendable, Hashable {
    package let table: TableName

    /// Named by the second side of a linking module.
    init(pairOf side: FieldID) { table = TableName(checked: "p_\(side.raw)") ?? "invalid" }

    init(_ kind: SchemaPlan.IndexKind, _ field: FieldID) {
        let prefix =
            switch kind {
            case .lookup: "l"
            case .time: "t"
            case .text: "x"
            case .unique, .uniqueText: "u"
            }
        table = TableName(checked: "\(prefix)_\(field.raw)") ?? "invalid"
    }

    /// The field whose unique index an engine named; of a pair, its second side.
    package static func uniqueField(_ constraint: String) -> FieldID? {
        guard constraint.hasPrefix("u_") || constraint.hasPrefix("p_"), let raw = Int64(constraint.dropFirst(2)) else { return nil }
        return FieldID(raw: raw)
    }
}

extension SchemaPlan.Step {
    fileprivate func names(_ index: IndexName) -> Bool {
        if case .addIndex(index, _, _, _, _) = self { true } else { false }
    }

    fileprivate var sql: SQL {
        switch self {
        case .createTable(let table, let columns):
            let parts = columns.map { column -> SQL in
                switch column.name.raw {
                case "id": "id \(.type(.integer)) PRIMARY KEY"
                case "row_version": "\(column.name) \(.type(.integer)) NOT NULL DEFAULT 0"
                default: "\(column.name) \(.type(column.type))"
                }
            }
            return "CREATE TABLE \(table) (\(.joined(parts, by: ", ")))\(.strict)"
        case .addColumn(let table, let column, let falseAtFirst):
            // Both engines keep a constant default beside the table: no row is touched.
            let initial: SQL = falseAtFirst ? " DEFAULT 0" : ""
            return "ALTER TABLE \(table) ADD COLUMN \(column.name) \(.type(column.type))\(initial)"
        case .addIndex(let name, let table, let column, let kind, let open):
            let only: SQL = open.map { " AND (\($0) IS NULL OR \($0) = 0)" } ?? ""
            switch kind {
            case .time: return "CREATE INDEX \(name.table) ON \(table) (\(column), id)"
            case .lookup: return "CREATE INDEX \(name.table) ON \(table) (\(column)) WHERE \(column) IS NOT NULL"
            case .text: return "CREATE INDEX \(name.table) ON \(table) (\(.folded("\(column)"))) WHERE \(column) IS NOT NULL"
            case .unique: return "CREATE UNIQUE INDEX \(name.table) ON \(table) (\(column)) WHERE \(column) IS NOT NULL\(only)"
            case .uniqueText:
                return "CREATE UNIQUE INDEX \(name.table) ON \(table) (\(.folded("\(column)"))) WHERE \(column) IS NOT NULL\(only)"
            }
        case .addPairIndex(let name, let table, let one, let other):
            return "CREATE UNIQUE INDEX \(name.table) ON \(table) (\(one), \(other)) WHERE \(one) IS NOT NULL AND \(other) IS NOT NULL"
        case .dropIndex(let name):
            return "DROP INDEX \(name.table)"
        }
    }
}
