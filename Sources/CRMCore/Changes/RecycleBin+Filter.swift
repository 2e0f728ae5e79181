import Metadata
import SQLStore
import Wire

extension RecycleBin {
    /// Tests on the entries of the bin; all must hold. Contract: recycle-bin, section notes.
    package struct Filter: Sendable {
        package enum Field: String, Sendable {
            case displayName = "display_name"
            case module
            case deletedBy = "deleted_by"
            case deletedTime = "deleted_time"
        }

        package enum Comparator: String, Sendable {
            case equal
            case notEqual = "not_equal"
            case contains
            case notContains = "not_contains"
            case startsWith = "starts_with"
            case endsWith = "ends_with"
            case greaterThan = "greater_than"
            case lessThan = "less_than"
        }

        struct Test: Sendable {
            let field: Field
            let comparator: Comparator
            let value: String
        }

        private var tests: [Test] = []

        package init() {}

        /// False when the comparator or the value does not suit the field.
        package mutating func add(_ field: Field, _ comparator: Comparator, _ value: String) -> Bool {
            let allowed: [Comparator] =
                switch field {
                case .displayName, .deletedBy: [.equal, .notEqual, .contains, .notContains, .startsWith, .endsWith]
                case .module: [.equal, .notEqual]
                case .deletedTime: [.equal, .notEqual, .greaterThan, .lessThan]
                }
            guard allowed.contains(comparator), field != .deletedTime || Instant(iso: value) != nil else { return false }
            tests.append(Test(field: field, comparator: comparator, value: value))
            return true
        }

        /// The form kept by a job.
        var json: JSONValue {
            .array(tests.map { [.string($0.field.rawValue), .string($0.comparator.rawValue), .string($0.value)] })
        }

        init(_ json: JSONValue) {
            for test in json.array ?? [] {
                let parts = (test.array ?? []).compactMap(\.string)
                guard parts.count == 3, let field = Field(rawValue: parts[0]), let comparator = Comparator(rawValue: parts[1]) else {
                    continue
                }
                _ = add(field, comparator, parts[2])
            }
        }

        func sql(_ catalog: Catalog, _ access: AccessPolicy) -> SQL {
            tests.isEmpty ? "1 = 1" : "(\(.joined(tests.map { sql($0, catalog, access) }, by: " AND ")))"
        }

        private func sql(_ test: Test, _ catalog: Catalog, _ access: AccessPolicy) -> SQL {
            switch test.field {
            case .displayName: return text("coalesce(\(RecycleBin.name(catalog, access)), '')", test)
            case .module:
                let id = catalog.module(test.value)?.id.raw ?? 0
                return test.comparator == .equal ? "g.module_id = \(.integer(id))" : "g.module_id <> \(.integer(id))"
            case .deletedBy:
                let people = catalog.users.filter { matches($0.fullName, test) }.map(\.id.raw)
                return SQL(.memberIDs("g.deleted_by", people))
            case .deletedTime: return time(test)
            }
        }

        private func text(_ column: SQL, _ test: Test) -> SQL {
            let folded: SQL = "\(.folded(column))"
            let value = TextFolding.fold(test.value)
            switch test.comparator {
            case .notEqual: return "\(folded) <> \(.text(value))"
            case .contains: return SQL(.containsFolded(column, test.value))
            case .notContains: return "NOT \(.containsFolded(column, test.value))"
            case .startsWith: return SQL(.startsFolded(column, test.value))
            case .endsWith:
                let length = SQL.literal(Int64(value.unicodeScalars.count))
                return "(length(\(folded)) >= \(length) AND substr(\(folded), length(\(folded)) - \(length) + 1) = \(.text(value)))"
            default: return "\(folded) = \(.text(value))"
            }
        }

        /// Moments are compared as they are shown: in whole seconds.
        private func time(_ test: Test) -> SQL {
            let start = (Instant(iso: test.value)?.milliseconds ?? 0) / 1000 * 1000
            let end = start + 999
            switch test.comparator {
            case .notEqual: return "(g.deleted_at < \(.integer(start)) OR g.deleted_at > \(.integer(end)))"
            case .greaterThan: return "g.deleted_at > \(.integer(end))"
            case .lessThan: return "g.deleted_at < \(.integer(start))"
            default: return "g.deleted_at BETWEEN \(.integer(start)) AND \(.integer(end))"
            }
        }

        private func matches(_ name: String, _ test: Test) -> Bool {
            let name = TextFolding.fold(name)
            let value = TextFolding.fold(test.value)
            return switch test.comparator {
            case .notEqual: name != value
            case .contains: name.contains(value)
            case .notContains: !name.contains(value)
            case .startsWith: name.hasPrefix(value)
            case .endsWith: name.hasSuffix(value)
            default: name == value
            }
        }
    }
}
