import Metadata
import SQLStore
import Wire

/// A note says something, and stays with the record it was written on (`notes.md`, 235 and 237).
struct NoteRule: RecordRule {
    /// What an update may change.
    private static let writable: Set<String> = ["Note_Title", "Note_Content"]

    func concerns(_ module: Module) -> Bool { module.apiName == "Notes" }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        if change.after["Note_Content"].isNull { throw Rejection.missing("Note_Content", at: change.path) }
        guard let before = change.before else { return }
        for field in change.after.module.fields where change.given.contains(field.id) && !Self.writable.contains(field.apiName) {
            change.after.set(field, to: Array(before.columns(of: field)))
        }
    }
}
