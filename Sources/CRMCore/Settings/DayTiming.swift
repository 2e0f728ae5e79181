import Wire

/// How settings say when a day begins and ends, alike for business hours, shifts and breaks.
enum DayTiming {
    /// Days of a week, each once.
    static func weekdays(_ given: JSONCursor, among allowed: [Weekday] = Weekday.allCases) throws(Rejection) -> [Weekday] {
        var days: [Weekday] = []
        for element in try given.elements(1...7) {
            guard let day = element.value.string.flatMap(Weekday.init), allowed.contains(day), !days.contains(day) else {
                throw .invalid(at: element.path)
            }
            days.append(day)
        }
        return days
    }

    /// `["HH:mm", "HH:mm"]`, the first before the second.
    static func span(_ given: JSONCursor) throws(Rejection) -> Range<Int> {
        let ends = try given.elements(2...2)
        var minutes: [Int] = []
        for end in ends {
            guard let minute = end.value.string.flatMap(WallClock.minutes) else { throw .invalid(at: end.path) }
            minutes.append(minute)
        }
        guard minutes[0] < minutes[1] else { throw .invalid(at: given.path) }
        return minutes[0]..<minutes[1]
    }

    /// A span as it is kept and shown, both ends with two digits.
    static func pair(_ given: JSONCursor) throws(Rejection) -> JSONValue {
        let span = try span(given)
        return .array([span.lowerBound, span.upperBound].map { .string(WallClock.text($0)) })
    }

    /// The span of a stored pair.
    static func span(_ stored: JSONValue?) -> Range<Int>? { stored.flatMap { try? span(JSONCursor($0)) } }

    /// One entry for each day, with its own hours under `key`. What is there stays unless a day is named again, or named with `_delete`.
    static func custom(
        _ given: JSONCursor, _ key: String, over stored: JSONValue?, among days: [Weekday]
    ) throws(Rejection) -> [(day: Weekday, pair: JSONValue)] {
        var found: [(day: Weekday, pair: JSONValue)] = (stored?.array ?? []).compactMap { entry in
            entry["days"]?.string.flatMap(Weekday.init).map { (day: $0, pair: entry[key] ?? .null) }
        }
        var named: Set<Weekday> = []
        for entry in try given.elements(1...7) {
            _ = try entry.object()
            guard let word = entry.optional("days"), !word.value.isNull else {
                throw .dependent("days", on: "custom_timing", at: entry.path)
            }
            guard let day = word.value.string.flatMap(Weekday.init), named.insert(day).inserted else { throw .invalid(at: word.path) }
            found.removeAll { $0.day == day }
            if entry.value["_delete"] != nil { continue }
            guard days.contains(day) else { throw .invalid(at: word.path) }
            guard let timing = entry.optional(key), !timing.value.isNull else { throw .dependent(key, on: "days", at: entry.path) }
            found.append((day, try pair(timing)))
        }
        return found
    }

    static func json(_ timings: [(day: Weekday, pair: JSONValue)], _ key: String) -> JSONValue {
        .array(timings.map { .object([.init("days", .string($0.day.rawValue)), .init(key, $0.pair)]) })
    }
}
