import CRMCore
import HTTPShell
import Metadata
import Wire

/// The result objects of record writes.
struct RecordAnswers {
    let context: RequestContext

    func added(_ record: Record) -> JSONValue {
        var details = details(record)
        details["$approval_state"] = "approved"
        return .success("record added", details: details)
    }

    func updated(_ record: Record) -> JSONValue { .success("record updated", details: details(record)) }

    func deleted(_ id: RecordID) -> JSONValue { .success("record deleted", details: ["id": .id(id)]) }

    /// When and by whom a record was made and changed, as far as its module keeps it.
    private func details(_ record: Record) -> JSONValue {
        [
            "Modified_Time": time(value("Modified_Time", record)), "Modified_By": user(value("Modified_By", record)),
            "Created_Time": time(value("Created_Time", record)), "id": .id(record.id), "Created_By": user(value("Created_By", record)),
        ]
    }

    private func value(_ name: String, _ record: Record) -> Int64? {
        guard let field = record.module.field(name), context.access.right(on: field) != .hidden else { return nil }
        return record[field].integer
    }

    private func time(_ milliseconds: Int64?) -> JSONValue { context.shown(milliseconds.map(Instant.init(milliseconds:))) }

    private func user(_ id: Int64?) -> JSONValue { context.shownUser(id) }
}
