import Wire

/// How long something waits, as settings say it: `{"unit": 2, "period": "days"}`.
package struct Delay: Sendable, Equatable {
    package enum Period: String, Sendable, CaseIterable {
        case minutes, hours, days

        fileprivate var milliseconds: Int64 {
            switch self {
            case .minutes: 60_000
            case .hours: 3_600_000
            case .days: 86_400_000
            }
        }
    }

    package static let hour = Delay(unit: 1, period: .hours)

    /// Nothing waits longer than ten years.
    private static let longest: Int64 = 3_660 * 86_400_000

    package let unit: Int64
    package let period: Period

    package var milliseconds: Int64 { unit * period.milliseconds }

    private init(unit: Int64, period: Period) {
        self.unit = unit
        self.period = period
    }

    package init(_ given: JSONCursor) throws(Rejection) {
        let count = try given.required("unit")
        let name = try given.required("period")
        guard let period = name.value.string.flatMap(Period.init(rawValue:)) else {
            throw .unsupported(Period.allCases.map(\.rawValue), at: name.path)
        }
        unit = try count.integer()
        self.period = period
        guard (0...Self.longest / period.milliseconds).contains(unit) else { throw .invalid(at: count.path) }
    }

    /// Back from the kept form.
    package init?(_ json: JSONValue) {
        guard let unit = json["unit"]?.int64, let period = json["period"]?.string.flatMap(Period.init(rawValue:)) else { return nil }
        self.unit = unit
        self.period = period
    }

    package var json: JSONValue { ["unit": .integer(unit), "period": .string(period.rawValue)] }

    package func after(_ instant: Instant) -> Instant { Instant(milliseconds: instant.milliseconds + milliseconds) }
}
