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
    private static let weekdays: Set<String> = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    /// The parts that hold numbers, with how large those may be; some may count from the end (RFC 5545, 3.3.10).
    private static let numbers: [String: (most: Int, fromEnd: Bool)] = [
        "BYMONTH": (12, false), "BYMONTHDAY": (31, true), "BYSETPOS": (366, true), "BYYEARDAY": (366, true), "BYWEEKNO": (53, true),
    ]

    static func check(_ change: PendingChange, _ name: String) throws(Rejection) {
        guard let text = change.after[name].text, let value = try? JSONValue.parse(text) else { return }
        let input = JSONCursor(value, at: change.path.appending(name))
        let rule = try input.required("RRULE")
        guard let parts = parts(try rule.string()), parts.allSatisfy(isPart), parts.contains(where: { $0.key == "FREQ" }),
            Set(parts.map(\.key)).count == parts.count
        else { throw .invalid(at: rule.path) }
        guard let except = input.optional("EXDATE"), !except.value.isNull else { return }
        guard list(try except.string()).allSatisfy(isTime) else { throw .invalid(at: except.path) }
    }

    private static func isPart(_ part: (key: String, value: String)) -> Bool {
        let value = part.value.uppercased()
        switch part.key {
        case "FREQ": return frequencies.contains(value)
        case "INTERVAL", "COUNT": return (Int(value) ?? 0) > 0
        case "DTSTART", "UNTIL": return isTime(part.value)
        case "WKST": return weekdays.contains(value)
        case "BYDAY": return list(value).allSatisfy(isWeekday)
        default:
            guard let (most, fromEnd) = numbers[part.key] else { return false }
            return list(value).allSatisfy { Int($0).map { (fromEnd ? -most : 1)...most ~= $0 && $0 != 0 } ?? false }
        }
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ",", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
    }

    /// `MO`, `2MO`, `-1FR`.
    private static func isWeekday(_ text: String) -> Bool {
        let number = text.dropLast(2)
        return weekdays.contains(String(text.suffix(2))) && (number.isEmpty || Int(number).map { (-53...53) ~= $0 && $0 != 0 } ?? false)
    }

    /// `2090-02-01`, `20900201`, either with a time of the day.
    private static func isTime(_ text: String) -> Bool {
        if CalendarDate(text) != nil || Instant(iso: text) != nil { return true }
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard parts.count <= 2, let day = parts.first, day.utf8.count == 8, day.allSatisfy(\.isASCII),
            CalendarDate("\(day.prefix(4))-\(day.dropFirst(4).prefix(2))-\(day.suffix(2))") != nil
        else { return false }
        guard parts.count == 2 else { return true }
        let clock = parts[1].last == "Z" ? parts[1].dropLast() : parts[1]
        return clock.utf8.count == 6 && WallClock.minutes("\(clock.prefix(2)):\(clock.dropFirst(2).prefix(2))") != nil
            && Int(clock.suffix(2)).map { 0...59 ~= $0 } ?? false
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
