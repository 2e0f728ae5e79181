import Metadata
import Wire

/// `KEY=VALUE;KEY=VALUE`, as alarms and recurrences are written.
private func parts(_ text: String) -> [(key: String, value: String)]? {
    var found: [(String, String)] = []
    for part in text.split(separator: ";") {
        let sides = part.split(separator: "=", maxSplits: 1).map { $0.trimmedBlanks }
        guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty else { return nil }
        found.append((sides[0].uppercased(), sides[1]))
    }
    return found.isEmpty ? nil : found
}

extension Substring {
    fileprivate var trimmedBlanks: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

/// How an activity repeats: `{"RRULE": "FREQ=DAILY;INTERVAL=1;DTSTART=…;UNTIL=…"}` (records, section notes).
enum Recurrence {
    private static let frequencies: Set<String> = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]
    private static let keys: Set<String> = [
        "FREQ", "INTERVAL", "DTSTART", "UNTIL", "COUNT", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST", "BYYEARDAY", "BYWEEKNO",
    ]

    static func check(_ change: PendingChange, _ name: String) throws(Rejection) {
        guard let text = change.after[name].text, let value = try? JSONValue.parse(text) else { return }
        let input = JSONCursor(value, at: change.path.appending(name))
        let rule = try input.required("RRULE")
        guard let parts = parts(try rule.string()), parts.allSatisfy(isPart), parts.contains(where: { $0.key == "FREQ" }) else {
            throw .invalid(at: rule.path)
        }
    }

    private static func isPart(_ part: (key: String, value: String)) -> Bool {
        switch part.key {
        case "FREQ": frequencies.contains(part.value.uppercased())
        case "INTERVAL", "COUNT": (Int(part.value) ?? 0) > 0
        case "DTSTART", "UNTIL":
            CalendarDate(part.value) != nil || Instant(iso: part.value) != nil || part.value.allSatisfy { $0.isNumber || "TZ".contains($0) }
        default: keys.contains(part.key)
        }
    }
}

/// When a task reminds: `{"ALARM": "ACTION=EMAIL;TRIGGER=-P1D;TRIGGER_TIME=09:00"}` (records, section notes).
enum Alarm {
    private static let actions: Set<String> = ["EMAIL", "POPUP", "EMAILANDPOPUP"]
    private static let triggers: Set<String> = Set((1...6).map { "-P\($0)D" } + (1...3).map { "-P\($0)W" })

    static func check(_ change: PendingChange, _ name: String) throws(Rejection) {
        guard let text = change.after[name].text, let value = try? JSONValue.parse(text) else { return }
        let input = JSONCursor(value, at: change.path.appending(name))
        let alarm = try input.required("ALARM")
        guard let parts = parts(try alarm.string()), parts.allSatisfy(isPart), parts.contains(where: { $0.key == "TRIGGER" }) else {
            throw .invalid(at: alarm.path)
        }
    }

    private static func isPart(_ part: (key: String, value: String)) -> Bool {
        switch part.key {
        case "ACTION": actions.contains(part.value.uppercased())
        case "TRIGGER": triggers.contains(part.value) || isMoment(part.value)
        case "TRIGGER_TIME": WallClock.minutes(part.value) != nil
        case "FREQ": true
        default: false
        }
    }

    private static func isMoment(_ text: String) -> Bool {
        let moment = text.hasPrefix("DATE-TIME:") ? String(text.dropFirst("DATE-TIME:".count)) : text
        return Instant(iso: moment) != nil || CalendarDate(moment) != nil
    }
}
