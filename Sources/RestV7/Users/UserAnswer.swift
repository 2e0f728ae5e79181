import CRMCore
import HTTPShell
import Metadata
import Wire

/// A user object of an answer.
enum UserAnswer {
    /// What every user object has, whatever is known (users, 114).
    private static let constants: [(String, JSONValue)] = [
        ("microsoft", false), ("personal_account", false), ("Isonline", false), ("sandboxDeveloper", false), ("$current_shift", .null),
        ("$next_shift", .null), ("$shift_effective_from", .null), ("Reporting_To", .null), ("created_by", .null),
        ("created_time", .null), ("Modified_By", .null), ("Modified_Time", .null), ("signature", .null), ("alias", .null),
        ("phone", .null), ("mobile", .null), ("street", .null), ("city", .null), ("state", .null), ("zip", .null), ("country", .null),
        ("website", .null), ("fax", .null), ("dob", .null), ("status_reason__s", .null),
    ]

    static func json(_ user: User, _ context: RequestContext) -> JSONValue {
        var answer = user.body
        answer["id"] = .string(String(user.id.raw))
        answer["zuid"] = .string(String(user.id.raw))
        answer["offset"] = .integer(Int64(user.zone.offsetMinutes(at: context.now)) * 60_000)
        answer["Reporting_To"] = context.shownUser(user.superior?.raw)
        // In the zone of who asks, as every moment is.
        for key in ["created_time", "Modified_Time"] {
            if let instant = answer[key]?.string.flatMap(Instant.init(iso:)) { answer[key] = context.shown(instant) }
        }
        for (key, value) in constants where answer[key] == nil { answer[key] = value }
        if answer["Currency"] == nil { answer["Currency"] = context.catalog.organization["iso_code"] ?? .null }
        return answer
    }
}
