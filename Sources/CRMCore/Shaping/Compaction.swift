import Metadata
import SQLStore
import Wire

/// Drops the columns and tables of deleted fields and linking modules. Deleting only takes them out of the catalog, so that no
/// request waits for a table to be rewritten; this is the maintenance that follows, when somebody asks for it.
package struct Compaction: Sendable {
    /// Longer than any request that still reads by the catalog of before.
    private static let restMilliseconds: Int64 = 60_000

    private let services: Services
    private let rest: Int64

    package init(_ services: Services, restMilliseconds: Int64 = Self.restMilliseconds) {
        self.services = services
        rest = restMilliseconds
    }

    /// Notes what a deleted field leaves behind.
    static func retire(fields: [FieldID], _ scope: MetadataScope) throws {
        for module in scope.catalog.modules {
            guard let table = module.table else { continue }
            for field in fields.compactMap({ module.field($0) }) where !field.columns.isEmpty {
                try note(table, field.columns, field.apiName, scope)
            }
        }
    }

    /// Notes the table a deleted module leaves behind.
    static func retire(_ module: Module, _ scope: MetadataScope) throws {
        if let table = module.table { try note(table, [], module.apiName, scope) }
    }

    static func note(_ table: TableName, _ columns: [ColumnName], _ name: String, _ scope: MetadataScope) throws {
        try scope.add(
            .retired, name,
            [
                "table": .string(table.raw), "columns": .array(columns.map { .string($0.raw) }), "at": .integer(scope.now.milliseconds),
            ])
    }

    /// One transaction for each, so that writers get between. Tells what went, and how much is too young.
    package func run() async throws -> JSONValue {
        var dropped: [JSONValue] = []
        while let name = try await dropNext() { dropped.append(.string(name)) }
        return ["dropped": .array(dropped), "waiting": .integer(services.catalog.current().documents(.retired).count)]
    }

    private func dropNext() async throws -> String? {
        let rest = rest
        return try await services.changeMetadata { scope in
            let old = scope.catalog.documents(.retired).first { ($0.body["at"]?.int64 ?? 0) + rest <= scope.now.milliseconds }
            guard let old, let table = old.body["table"]?.string.flatMap(TableName.init(checked:)) else { return nil }
            let columns = (old.body["columns"]?.array ?? []).compactMap { $0.string.flatMap(ColumnName.init(checked:)) }
            for column in columns { try scope.tx.execute("ALTER TABLE \(table) DROP COLUMN \(column)") }
            if columns.isEmpty { try scope.tx.execute("DROP TABLE \(table)") }
            try scope.remove([old.id])
            return columns.isEmpty ? table.raw : columns.map { "\(table.raw).\($0.raw)" }.joined(separator: ", ")
        }
    }
}
