import Metadata
import Wire

/// Reminders as `[{"unit", "period"}]`, with the time of the day where they count in days.
enum Reminders {
    static let periods = ["minutes", "hours", "days", "weeks"]

    static func check(_ change: PendingChange, _ name: String, periods: [String], units: ClosedRange<Int64>) throws(Rejection) {
        guard let text = change.after[name].text, let value = try? JSONValue.parse(text) else { return }
        let path = change.path.appending(name)
        guard let reminders = value.array else { throw .wrongType("jsonarray", at: path) }
        for (index, reminder) in reminders.enumerated() {
            let place = path.appending(index)
            guard case .object = reminder else { throw .wrongType("jsonobject", at: place) }
            guard let unit = reminder["unit"], !unit.isNull else { throw .missing("unit", at: place) }
            guard let number = unit.looseInt64 else { throw .wrongType("integer", at: place.appending("unit")) }
            guard units.contains(number) else {
                throw Rejection(
                    .invalidData, .apiName("unit"), .jsonPath(place.appending("unit")),
                    .other("range", ["from": .integer(units.lowerBound), "to": .integer(units.upperBound)]))
            }
            guard let period = reminder["period"], !period.isNull else { throw .missing("period", at: place) }
            guard let word = period.string, periods.contains(word) else { throw .unsupported(periods, at: place.appending("period")) }
            if let time = reminder["time"], !time.isNull, time.string.flatMap(WallClock.minutes) == nil {
                throw .invalid(at: place.appending("time"))
            }
        }
    }
}
