import Metadata
import SQLStore
import Wire

/// A value while a formula is worked out.
enum FormulaValue: Equatable {
    case null
    case number(Double)
    case text(String)
    case flag(Bool)
    /// Days since 1970-01-01.
    case date(Int)
    case instant(Instant)

    /// What a record holds in a field.
    init(_ stored: SQLValue, _ comparison: FieldType.Comparison) {
        switch comparison {
        case .number: self = stored.real.map(FormulaValue.number) ?? .null
        case .text, .longText, .choice: self = stored.text.map(FormulaValue.text) ?? .null
        case .flag: self = .flag(stored.integer == 1)
        case .date: self = (stored.text.flatMap { CalendarDate($0) }?.daysSinceEpoch).map(FormulaValue.date) ?? .null
        case .instant: self = stored.integer.map { .instant(Instant(milliseconds: $0)) } ?? .null
        case .reference, .choices, .none, .sealed: self = .null
        }
    }

    /// What an empty value of a kind counts as, where a formula says so.
    static func assumed(_ comparison: FieldType.Comparison) -> FormulaValue {
        switch comparison {
        case .number: .number(0)
        case .text, .longText, .choice: .text("")
        default: .null
        }
    }

    /// The form a field of this comparison stores.
    func stored(_ field: Field, _ clock: FormulaClock) -> SQLValue {
        switch (field.type.comparison, self) {
        case (.number, .number(let value)) where value.isFinite: .real(Self.rounded(value, places: field.decimals ?? 2))
        case (.text, .text(let text)), (.longText, .text(let text)): text.isEmpty ? .null : .text(String(text.prefix(Self.longestText)))
        case (.flag, .flag(let flag)): .integer(flag ? 1 : 0)
        case (.date, .date(let day)): CalendarDate(daysSinceEpoch: day).map { .text($0.iso) } ?? .null
        case (.date, .instant(let instant)): CalendarDate(daysSinceEpoch: clock.day(of: instant)).map { .text($0.iso) } ?? .null
        case (.instant, .instant(let instant)): .integer(instant.milliseconds)
        case (.instant, .date(let day)): .integer(clock.start(of: day).milliseconds)
        default: .null
        }
    }

    private static let longestText = 255

    private static func rounded(_ value: Double, places: Int) -> Double {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = value * scale
        return scaled.magnitude < 1e15 ? scaled.rounded() / scale : value
    }
}

/// The moment of a write, and the organisation's days.
struct FormulaClock {
    let now: Instant
    let zone: TimeZoneRule

    func day(of instant: Instant) -> Int { minutes(of: instant).day }

    /// The day and the minute in it, as clocks of the organisation show them.
    func minutes(of instant: Instant) -> (day: Int, minute: Int) {
        let local = instant.milliseconds / 60_000 + Int64(zone.offsetMinutes(at: instant))
        let day = local >= 0 ? local / 1440 : (local - 1439) / 1440
        return (Int(day), Int(local - day * 1440))
    }

    func start(of day: Int) -> Instant { MovingDates(now: now, zone: zone).start(of: day) }
}
