import Metadata
import SQLStore
import Wire

/// Tasks start as Not Started and remember when they were closed; a call has a duration.
struct ActivityRule: RecordRule {
    func concerns(_ module: Module) -> Bool { ["Tasks", "Calls"].contains(module.apiName) }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        if change.after.module.apiName == "Tasks" {
            if change.kind == .insert, change.after["Status"].isNull { change.after["Status"] = .text("Not Started") }
            let closed = change.after["Status"].text == "Completed"
            let wasClosed = change.before?["Status"].text == "Completed"
            if closed != wasClosed || change.kind == .insert {
                change.after["Closed_Time"] = closed ? .integer(scope.now.milliseconds) : .null
            }
        } else if change.gave("Call_Duration") {
            try duration(&change)
        }
    }

    /// `mm:ss`, more than nothing (`records.md`: zero duration is DEPENDENT_MISMATCH).
    private func duration(_ change: inout PendingChange) throws(Rejection) {
        guard let text = change.after["Call_Duration"].text else { return }
        let path = change.path.appending("Call_Duration")
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).compactMap { RecordID($0)?.raw }
        // Five digits each: the seconds then fit the nine of the field beside it.
        guard (1...3).contains(parts.count), parts.count == text.count(where: { $0 == ":" }) + 1, parts.allSatisfy({ $0 < 100_000 }) else {
            throw .invalid(at: path)
        }
        let seconds = parts.reduce(0) { $0 * 60 + $1 }
        if seconds <= 0 { throw Rejection(.dependentMismatch, .apiName("Call_Duration"), .jsonPath(path)) }
        change.after["Call_Duration_in_seconds"] = .integer(seconds)
    }
}
