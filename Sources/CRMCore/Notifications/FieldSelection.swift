import Metadata
import Wire

/// Which fields must have changed for a channel to be told. Contract: notifications, 254.
package indirect enum FieldSelection: Sendable, Equatable {
    case field(FieldID)
    case all([FieldSelection])
    case any([FieldSelection])

    /// Over the whole selection, however it is grouped; and how many groups may stand in one another.
    package static let mostFields = 10, deepest = 2

    package func holds(_ changed: Set<FieldID>) -> Bool {
        switch self {
        case .field(let id): changed.contains(id)
        case .all(let parts): parts.allSatisfy { $0.holds(changed) }
        case .any(let parts): parts.contains { $0.holds(changed) }
        }
    }

    package var fields: [FieldID] {
        switch self {
        case .field(let id): [id]
        case .all(let parts), .any(let parts): parts.flatMap(\.fields)
        }
    }

    /// The kept form.
    var json: JSONValue {
        switch self {
        case .field(let id): .integer(id.raw)
        case .all(let parts): ["all": .array(parts.map(\.json))]
        case .any(let parts): ["any": .array(parts.map(\.json))]
        }
    }

    init?(_ json: JSONValue) {
        if let id = json.int64 {
            self = .field(FieldID(raw: id))
        } else if let parts = json["all"]?.array {
            self = .all(parts.compactMap(FieldSelection.init))
        } else if let parts = json["any"]?.array {
            self = .any(parts.compactMap(FieldSelection.init))
        } else {
            return nil
        }
    }
}
