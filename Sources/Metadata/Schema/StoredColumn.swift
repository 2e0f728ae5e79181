import SQLStore

/// A column of a record table.
package struct StoredColumn: Sendable, Hashable {
    package let name: ColumnName
    package let type: ColumnType
}

extension Module {
    /// Columns every record table has besides its fields': a counter of writes, and the merge that holds the record.
    package static let systemColumns = [
        StoredColumn(name: "row_version", type: .integer), StoredColumn(name: "in_merge", type: .integer),
    ]
}

extension Field {
    package var storedColumns: [StoredColumn] {
        zip(columns, type.storage).map { StoredColumn(name: $0, type: $1) }
    }
}
