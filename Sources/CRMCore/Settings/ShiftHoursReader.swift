import Metadata
import Wire

/// Reads a shift from a request, over the one that is there. Contract: shift-hours, 107 and 108.
package struct ShiftHoursReader {
    private static let mostBreaks = 2, mostBreakMinutes = 120

    private let item: JSONCursor
    private let scope: MetadataScope
    private let hours: WorkingHours
    private let id: RecordID

    /// Refused while the organisation has no business hours.
    package init(_ item: JSONCursor, id: RecordID, _ scope: MetadataScope) throws(Rejection) {
        guard let set = scope.catalog.documents(BusinessHours.kind).first else {
            throw .notAllowed(at: item.path, message: "business hours must be set first")
        }
        self.item = item
        self.scope = scope
        self.id = id
        hours = WorkingHours(set.body)
    }

    package func read(into body: inout JSONValue) throws {
        let isNew = body["name"] == nil
        for name in ["name", "timezone", "shift_days", "same_as_everyday"] where isNew || item.value[name] != nil {
            _ = try item.required(name)
        }
        if let name = item.optional("name") { body["name"] = .string(try Holiday.name(name)) }
        if let zone = item.optional("timezone") {
            guard let text = zone.value.string, TimeZoneRule(identifier: text) != nil else { throw Rejection.invalid(at: zone.path) }
            body["timezone"] = .string(text)
        }
        if let days = item.optional("shift_days") {
            body["shift_days"] = .array(try DayTiming.weekdays(days, among: hours.workdays).map(\.json))
        }
        try readTiming(&body)
        try readBreaks(&body)
        try readUsers(&body)
    }

    private func weekdays(_ stored: JSONValue?) -> [Weekday] { (stored?.array ?? []).compactMap { $0.string.flatMap(Weekday.init) } }

    private func readTiming(_ body: inout JSONValue) throws(Rejection) {
        let keys = ["shift_days", "same_as_everyday", "daily_timing", "custom_timing"]
        guard let touched = keys.first(where: { item.value[$0] != nil }) else { return }
        let isSame = try item.optional("same_as_everyday")?.bool() ?? body["same_as_everyday"]?.bool ?? true
        let changes = isSame != body["same_as_everyday"]?.bool
        body["same_as_everyday"] = .bool(isSame)
        let days = weekdays(body["shift_days"])
        let key = isSame ? "daily_timing" : "custom_timing"
        let given = item.optional(key).flatMap { $0.value.isNull ? nil : $0 }
        if given == nil, changes || body[key]?.isNull != false { throw .dependent(key, on: "same_as_everyday", at: item.path) }
        if isSame {
            if let given { body[key] = try DayTiming.pair(given) }
        } else {
            if let given {
                body[key] = DayTiming.json(
                    try DayTiming.custom(given, "shift_timing", over: changes ? nil : body[key], among: days), "shift_timing")
            }
            let timed = Set((body[key]?.array ?? []).compactMap { $0["days"]?.string })
            // Each day of the shift has its hours, and no other day has.
            guard Set(days.map(\.rawValue)) == timed else { throw .invalid(at: item.path.appending(given == nil ? touched : key)) }
        }
        body[isSame ? "custom_timing" : "daily_timing"] = .null
        guard ShiftHours(id, body).lies(inside: hours) else { throw .invalid(at: item.path.appending(given == nil ? touched : key)) }
    }

    private func readBreaks(_ body: inout JSONValue) throws(Rejection) {
        var pauses = body["break_hours"]?.array ?? []
        if let given = item.optional("break_hours") {
            if given.value.isNull { pauses = [] } else { try merge(given, into: &pauses, weekdays(body["shift_days"])) }
        }
        body["break_hours"] = pauses.isEmpty ? JSONValue.null : .array(pauses)
        let shift = ShiftHours(id, body)
        let path = item.path.appending("break_hours")
        for (day, spans) in shift.breaks {
            guard let worked = shift.spans[day] else { throw .invalid(at: path) }
            let sorted = spans.sorted { $0.lowerBound < $1.lowerBound }
            let fits = sorted.allSatisfy { worked.lowerBound <= $0.lowerBound && $0.upperBound <= worked.upperBound }
            let overlaps = zip(sorted, sorted.dropFirst()).contains { $0.upperBound > $1.lowerBound }
            guard fits, !overlaps, sorted.count <= Self.mostBreaks else { throw .invalid(at: path) }
            if sorted.map(\.count).reduce(0, +) > Self.mostBreakMinutes {
                throw .notAllowed(at: path, message: "breaks of more than two hours")
            }
        }
    }

    private func merge(_ given: JSONCursor, into pauses: inout [JSONValue], _ days: [Weekday]) throws(Rejection) {
        var named = false
        for entry in try given.elements() {
            _ = try entry.object()
            var stored: Int?
            if let number = entry.optional("id"), !number.value.isNull {
                let wanted = try number.recordID()
                guard let index = pauses.firstIndex(where: { $0["id"]?.looseInt64 == wanted.raw }) else { throw .invalid(at: number.path) }
                stored = index
            } else if entry.value["_delete"] != nil {
                throw .missing("id", at: entry.path)
            } else if !named {
                // Without ids the list says what there is to be.
                named = true
                if !(given.value.array ?? []).contains(where: { $0["id"] != nil }) { pauses = [] }
            }
            if let stored, entry.value["_delete"] != nil {
                pauses.remove(at: stored)
                continue
            }
            let number: JSONValue = if let stored { pauses[stored]["id"] ?? .null } else { .id(scope.ids.next()) }
            let pause = try pause(entry, number, days)
            if let stored { pauses[stored] = pause } else { pauses.append(pause) }
        }
        if pauses.count > Self.mostBreaks { throw .tooLong(Self.mostBreaks, at: given.path) }
    }

    private func pause(_ entry: JSONCursor, _ number: JSONValue, _ days: [Weekday]) throws(Rejection) -> JSONValue {
        let isSame = try entry.required("same_as_everyday").bool()
        let broken = try DayTiming.weekdays(try entry.required("break_days"), among: days)
        let key = isSame ? "daily_timing" : "custom_timing"
        guard let timing = entry.optional(key), !timing.value.isNull else { throw .dependent(key, on: "same_as_everyday", at: entry.path) }
        var pause: JSONValue = [
            "id": number, "same_as_everyday": .bool(isSame), "break_days": .array(broken.map(\.json)), "daily_timing": .null,
            "custom_timing": .null,
        ]
        if isSame {
            pause[key] = try DayTiming.pair(timing)
        } else {
            pause[key] = DayTiming.json(try DayTiming.custom(timing, "break_timing", over: nil, among: broken), "break_timing")
        }
        return pause
    }

    /// Who is to be in the shift; nobody is in two.
    private func readUsers(_ body: inout JSONValue) throws {
        guard let given = item.optional("users") else { return }
        var people: [JSONValue] = []
        let today = WallClock(scope.now, scope.catalog.zone).day
        for entry in try given.value.isNull ? [] : given.elements() {
            let named = try entry.required("id")
            let raw = try named.recordID().raw
            guard let user = scope.catalog.user(UserID(raw: raw)), user.active, !people.contains(where: { $0["id"]?.looseInt64 == raw })
            else {
                throw Rejection.invalid(at: named.path)
            }
            var from: JSONValue = .null
            if let day = entry.optional("effective_from"), !day.value.isNull {
                let known = (body["users"]?.array ?? []).contains { $0["id"]?.looseInt64 == raw && $0["effective_from"] == day.value }
                guard let date = day.value.string.flatMap(CalendarDate.init), known || date.daysSinceEpoch > today else {
                    throw Rejection.invalid(at: day.path)
                }
                from = .string(date.iso)
            }
            people.append(["id": .string(String(raw)), "effective_from": from])
        }
        body["users"] = .array(people)
        let taken = Set(people.compactMap { $0["id"]?.string })
        for other in scope.catalog.documents(ShiftHours.kind) where other.id != id {
            let all = other.body["users"]?.array ?? []
            let rest = all.filter { !taken.contains($0["id"]?.string ?? "") }
            guard rest.count < all.count else { continue }
            var body = other.body
            body["users"] = .array(rest)
            try scope.replace(other.id, body: body)
        }
    }
}
