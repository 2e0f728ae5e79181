import Metadata
import Wire

/// Rows loaded for an operation, with what the caller may do to each. Rows that the caller sees but may not touch so answer like
/// unknown ones, until their refusal is asked for.
package struct LoadedRows: Sendable {
    private let records: [RecordID: Record]
    /// Of rows that do not grant everything.
    private let levels: [RecordID: AccessLevel]
    private let operation: RecordOperation

    package init(_ records: [RecordID: Record] = [:], levels: [RecordID: AccessLevel] = [:], for operation: RecordOperation) {
        self.records = records
        self.levels = levels
        self.operation = operation
    }

    package subscript(_ id: RecordID) -> Record? { grants(operation, id) ? records[id] : nil }

    /// The ids of those the operation may touch.
    package var keys: [RecordID] { levels.isEmpty ? Array(records.keys) : records.keys.filter { grants(operation, $0) } }

    package var byID: [RecordID: Record] { levels.isEmpty ? records : records.filter { grants(operation, $0.key) } }

    /// Those the operation may touch.
    package var values: [Record] { levels.isEmpty ? Array(records.values) : records.values.filter { grants(operation, $0.id) } }

    package func grants(_ operation: RecordOperation, _ id: RecordID) -> Bool { levels[id].map { operation.level <= $0 } ?? true }

    /// Why a row may not be touched by `operation`: it is `unknown` to who does not see it.
    package func refusal(of id: RecordID, _ operation: RecordOperation? = nil, else unknown: Rejection) -> Rejection {
        guard let record = records[id] else { return unknown }
        return AccessPolicy.refusal(operation ?? self.operation, on: id, of: record.module)
    }
}
