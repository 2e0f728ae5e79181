import Wire

/// What a query answers instead of a module's fields: paths and aggregates under names of their own, perhaps in groups.
package struct QueryTerms: Sendable {
    package enum Function: String, Sendable, CaseIterable {
        case sum = "SUM"
        case minimum = "MIN"
        case maximum = "MAX"
        case average = "AVG"
        case count = "COUNT"
    }

    package enum Value: Sendable {
        case path(FieldPath)
        case aggregate(Function, FieldPath)

        package var identity: String {
            switch self {
            case .path(let path): path.identity
            case .aggregate(let function, let path): "\(function.rawValue)(\(path.identity))"
            }
        }
        package var path: FieldPath {
            switch self {
            case .path(let path), .aggregate(_, let path): path
            }
        }
        package var isAggregate: Bool { if case .aggregate = self { true } else { false } }
    }

    package struct Column: Sendable {
        package let name: String
        package let value: Value
        package init(name: String, value: Value) {
            self.name = name
            self.value = value
        }
    }

    package struct Order: Sendable {
        package let value: Value
        package let descending: Bool
        package init(value: Value, descending: Bool) {
            self.value = value
            self.descending = descending
        }
    }

    package let columns: [Column]
    package let groups: [FieldPath]
    package let order: [Order]

    package init(columns: [Column], groups: [FieldPath], order: [Order]) {
        self.columns = columns
        self.groups = groups
        self.order = order
    }

    /// One row for each group, or a single one for all, instead of one for each record.
    package var isGrouped: Bool { !groups.isEmpty || columns.contains { $0.value.isAggregate } }
}
