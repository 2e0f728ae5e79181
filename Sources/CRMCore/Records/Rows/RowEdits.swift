import Metadata
import Wire

/// What a caller said about the rows of a record in one field: some to add, some to change, some to remove. The others stay.
struct RowEdits: Sendable {
    enum Edit: Sendable {
        case add(JSONCursor)
        case change(RecordID, JSONCursor)
        case remove(RecordID, JSONPath)
    }

    let rows: RowField
    let path: JSONPath
    private(set) var edits: [Edit] = []
    /// An empty array, like null, says that no row shall be left (`endpoints/subforms.md`, 186).
    let clears: Bool

    init(_ input: JSONCursor, _ rows: RowField) throws(Rejection) {
        self.rows = rows
        path = input.path
        clears = input.value.isNull || input.value == .array([])
        if input.value.isNull { return }
        for element in try input.elements(0...RowField.limit) {
            _ = try element.object()
            guard let given = element.optional("id"), !given.value.isNull, given.value != .string("") else {
                if element.value["_delete"] != nil { throw .missing("id", at: element.path) }
                edits.append(.add(element))
                continue
            }
            let id = try given.recordID()
            if let removal = element.value["_delete"], removal.bool != false {
                edits.append(.remove(id, given.path))
            } else {
                edits.append(.change(id, element))
            }
        }
    }
}

/// The rows of one field of a record as a write leaves them.
package struct RowChanges: Sendable {
    package let rows: RowField
    var written: [PendingChange] = []
    var removed: [Record] = []
    var kept: [Record] = []

    /// Every row there is afterwards.
    package var result: [Record] { kept + written.map(\.after) }
}
