import Metadata
import Wire

/// The working hours of the organisation as a request gives them. What follows from them is `WorkingHours`, and the first day of the
/// weeks that criteria speak of. Contract: business-hours, 95 to 97.
package enum BusinessHours {
    package static let kind: Document.Kind = WorkingHours.kind
    /// As the page spells them, and as clients do; the latter is kept.
    private static let types = ["24*7": "24_by_7", "24*5": "24_by_5", "24_by_7": "24_by_7", "24_by_5": "24_by_5", "custom": "custom"]

    /// A stored body of the request; `before` is what is there.
    package static func read(_ item: JSONCursor, over before: JSONValue?, _ catalog: Catalog) throws(Rejection) -> JSONValue {
        let given = try item.required("type")
        let starts = try item.required("week_starts_on")
        guard let type = given.value.string.flatMap({ types[$0] }) else { throw .unsupported(["24*7", "24*5", "custom"], at: given.path) }
        guard let first = starts.value.string.flatMap(Weekday.init) else {
            throw .unsupported(Weekday.allCases.map(\.rawValue), at: starts.path)
        }
        var body: JSONValue = [
            "type": .string(type), "week_starts_on": .string(first.rawValue), "business_days": .array(Weekday.allCases.map(\.json)),
            "same_as_everyday": true, "daily_timing": .null, "custom_timing": .null,
        ]
        if type != "24_by_7" { try readDays(item, type, before, &body) }
        try refuseIfShiftsLieOutside(WorkingHours(body), item, catalog)
        return body
    }

    private static func readDays(_ item: JSONCursor, _ type: String, _ before: JSONValue?, _ body: inout JSONValue) throws(Rejection) {
        guard let list = item.optional("business_days"), !list.value.isNull else {
            throw .dependent("business_days", on: "type", at: item.path)
        }
        let days = try DayTiming.weekdays(list)
        if type == "24_by_5", days.count != 5 { throw .invalid(at: list.path) }
        body["business_days"] = .array(days.map(\.json))
        guard type == "custom" else { return }
        guard let same = item.optional("same_as_everyday"), !same.value.isNull else {
            throw .dependent("same_as_everyday", on: "type", at: item.path)
        }
        let isSame = try same.bool()
        body["same_as_everyday"] = .bool(isSame)
        let key = isSame ? "daily_timing" : "custom_timing"
        guard let timing = item.optional(key), !timing.value.isNull else { throw .dependent(key, on: "same_as_everyday", at: item.path) }
        if isSame {
            body[key] = try DayTiming.pair(timing)
            return
        }
        let custom = try DayTiming.custom(timing, "business_timing", over: before?["custom_timing"], among: days)
        let open = custom.filter { days.contains($0.day) }
        // A day whose hours are taken away is no business day.
        guard !open.isEmpty, days.allSatisfy({ day in open.contains { $0.day == day } || Self.isDropped(day, timing) }) else {
            throw .invalid(at: timing.path)
        }
        body["business_days"] = .array(days.filter { day in open.contains { $0.day == day } }.map(\.json))
        body[key] = DayTiming.json(open, "business_timing")
    }

    private static func isDropped(_ day: Weekday, _ timing: JSONCursor) -> Bool {
        (timing.value.array ?? []).contains { $0["days"]?.string == day.rawValue && $0["_delete"] != nil }
    }

    /// Shifts lie inside business hours, whichever of the two changes.
    private static func refuseIfShiftsLieOutside(_ hours: WorkingHours, _ item: JSONCursor, _ catalog: Catalog) throws(Rejection) {
        let outside = catalog.documents(ShiftHours.kind).contains { !ShiftHours($0).lies(inside: hours) }
        guard outside else { return }
        let name = item.value["business_days"] == nil ? "type" : "business_days"
        throw .invalid(at: item.path.appending(name), message: "a shift lies outside these hours")
    }
}

extension Weekday {
    var json: JSONValue { .string(rawValue) }
}
