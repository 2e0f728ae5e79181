import Metadata
import Wire

/// How a field is tested.
package enum Comparator: String, Sendable {
    case equal, notEqual, among, notAmong, contains, notContains, startsWith, endsWith, less, lessOrEqual, greater, greaterOrEqual, between,
        notBetween, empty, notEmpty
    /// The digits of the text contain these; what parts them does not matter.
    case digits
}

/// The one filter language: search criteria, custom views, related lists, mass actions and rules all become this.
package indirect enum Condition: Sendable {
    case always
    case all([Condition])
    case any([Condition])
    case not(Condition)
    case test(field: String, Comparator, [JSONValue])
    case ids([RecordID])
    /// Rows joined to `record` through a linking module.
    case linked(ModuleID, mine: FieldID, theirs: FieldID, record: RecordID)
    /// A test of a field that lookups lead to.
    case path(FieldPath, Comparator, [JSONValue])
    /// Rows whose path holds the id of a record that the query finds.
    case found(FieldPath, Query)
    /// Rows whose any-module lookup holds `record` of `module`.
    case pointsAt(field: FieldID, RecordID, ModuleID)

    /// Rows that stand in one of these territories.
    case inTerritories([RecordID])

    /// Events that invite the record.
    case invites(RecordID)
    /// Rows whose lookup holds a record that is there.
    case refersToLiving(FieldID)

    package func and(_ other: Condition) -> Condition {
        if case .always = self { return other }
        if case .always = other { return self }
        return .all([self, other])
    }
}

extension Condition {
    /// Every path through lookups that it tests.
    package var paths: [FieldPath] {
        switch self {
        case .all(let parts), .any(let parts): parts.flatMap(\.paths)
        case .not(let inner): inner.paths
        case .path(let path, _, _), .found(let path, _): [path]
        default: []
        }
    }
}
