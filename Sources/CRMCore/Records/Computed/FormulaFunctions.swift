import Foundation
import Metadata
import Wire

extension FormulaEvaluator {
    func call(_ function: FormulaFunction, _ arguments: [Formula.Node]) -> FormulaValue {
        switch function {
        case .now: return .instant(clock.now)
        case .if:
            guard case .flag(let holds) = value(arguments[0]) else { return .null }
            return value(arguments[holds ? 1 : 2])
        case .and, .or:
            let values = arguments.map(value)
            let deciding = FormulaValue.flag(function == .or)
            if values.contains(deciding) { return deciding }
            return values.contains(.null) ? .null : .flag(function == .and)
        default: break
        }
        let values = arguments.map(value)
        guard !values.contains(.null) else { return .null }
        let numbers = values.compactMap { if case .number(let number) = $0 { number } else { nil } }
        let texts = values.compactMap { if case .text(let text) = $0 { text } else { nil } }
        switch function {
        case .abs, .ceil, .floor, .naturallog, .base10log, .max, .min, .sqrt: return number(function, numbers)
        case .len, .find, .concat, .contains, .startswith, .endswith, .lower, .upper, .trim, .ltrim, .rtrim, .substring, .replace:
            return text(function, texts, numbers)
        case .tostring: return .text(shown(values[0]))
        case .not: return values[0] == .flag(true) ? .flag(false) : .flag(true)
        default: return day(function, values, texts, numbers)
        }
    }

    private func number(_ function: FormulaFunction, _ numbers: [Double]) -> FormulaValue {
        let first = numbers[0]
        let result: Double =
            switch function {
            case .abs: Swift.abs(first)
            case .ceil: first.rounded(.up)
            case .floor: first.rounded(.down)
            case .naturallog: log(first)
            case .base10log: log10(first)
            case .sqrt: first.squareRoot()
            case .max: numbers.max() ?? first
            default: numbers.min() ?? first
            }
        return result.isFinite ? .number(result) : .null
    }

    private func text(_ function: FormulaFunction, _ texts: [String], _ numbers: [Double]) -> FormulaValue {
        let first = texts[0]
        switch function {
        case .len: return .number(Double(first.count))
        case .concat: return Self.joined(texts)
        case .contains: return .flag(texts[1].isEmpty || first.contains(texts[1]))
        case .startswith: return .flag(first.hasPrefix(texts[1]))
        case .endswith: return .flag(first.hasSuffix(texts[1]))
        case .lower: return .text(first.lowercased())
        case .upper: return .text(first.uppercased())
        case .trim: return .text(first.trimmingCharacters(in: .whitespaces))
        case .ltrim: return .text(String(first.drop(while: \.isWhitespace)))
        case .rtrim: return .text(String(first.reversed().drop(while: \.isWhitespace).reversed()))
        case .replace:
            guard !texts[1].isEmpty else { return .text(first) }
            return Self.joined(
                first.split(separator: texts[1], omittingEmptySubsequences: false).map(String.init).interleaved(with: texts[2]))
        case .find:
            // The place of the nth occurrence, counted from 1; 0 when there is none.
            guard !texts[1].isEmpty, let wanted = whole(numbers[0]), wanted > 0 else { return .number(0) }
            var from = first.startIndex
            for occurrence in 1...min(wanted, 1000) {
                guard let found = first.range(of: texts[1], range: from..<first.endIndex) else { return .number(0) }
                if occurrence == wanted { return .number(Double(first.distance(from: first.startIndex, to: found.lowerBound) + 1)) }
                from = found.upperBound
            }
            return .number(0)
        default:
            // substring(text, from, length): the first letter is number 1.
            guard let from = whole(numbers[0]), let length = whole(numbers[1]), from > 0, length > 0 else { return .text("") }
            return .text(String(first.dropFirst(from - 1).prefix(length)))
        }
    }

    private func day(_ function: FormulaFunction, _ values: [FormulaValue], _ texts: [String], _ numbers: [Double]) -> FormulaValue {
        switch function {
        case .newdate: return newDate(numbers, half: texts[0].uppercased())
        case .adddate, .subdate: return added(values[0], (function == .subdate ? -1 : 1) * numbers[0], unit: texts[0].uppercased())
        case .datecomp:
            guard let one = moment(values[0]), let other = moment(values[1]) else { return .null }
            return .number(Double((one.milliseconds - other.milliseconds) / 60_000))
        default: break
        }
        guard let instant = moment(values[0]) else { return .null }
        var (day, minute) = clock.minutes(of: instant)
        if case .date(let given) = values[0] { (day, minute) = (given, 0) }
        let iso = CalendarDate(daysSinceEpoch: day)?.iso ?? "1970-01-01"
        switch function {
        case .datepart: return Self.date(day)
        case .timepart: return .text(Self.padded(minute / 60) + ":" + Self.padded(minute % 60))
        case .year: return .number(Double(iso.prefix(4)) ?? 0)
        case .month: return .number(Double(iso.dropFirst(5).prefix(2)) ?? 0)
        case .dayofmonth: return .number(Double(iso.suffix(2)) ?? 0)
        case .hour: return .number(Double(minute / 60))
        case .minute: return .number(Double(minute % 60))
        // Sunday is 1. 1970-01-01 was a Thursday.
        case .weekday: return .number(Double(((day + 4) % 7 + 7) % 7 + 1))
        default: return .null
        }
    }

    /// `newdate(year, month, day, hour, minute, 'AM' or 'PM')`.
    private func newDate(_ numbers: [Double], half: String) -> FormulaValue {
        let parts = numbers.compactMap(whole)
        guard parts.count == 5, (0...12).contains(parts[3]), (0..<60).contains(parts[4]), half == "AM" || half == "PM",
            let day = Self.day(year: parts[0], month: parts[1], day: parts[2])
        else { return .null }
        let minutes = (parts[3] % 12 + (half == "PM" ? 12 : 0)) * 60 + parts[4]
        return moved(clock.start(of: day), byMilliseconds: Double(minutes) * 60_000)
    }

    /// Days, hours and minutes are lengths; months and years keep the day of the month where there is one.
    private func added(_ value: FormulaValue, _ amount: Double, unit: String) -> FormulaValue {
        guard let whole = whole(amount) else { return .null }
        switch unit {
        case "YEAR", "YEARS": return monthsAdded(value, whole * 12)
        case "MONTH", "MONTHS": return monthsAdded(value, whole)
        case "DAY", "DAYS":
            if case .date(let day) = value { return Self.date(day + whole) }
            return moment(value).map { moved($0, byMilliseconds: Double(whole) * 86_400_000) } ?? .null
        case "HOUR", "HOURS": return moment(value).map { moved($0, byMilliseconds: amount * 3_600_000) } ?? .null
        case "MINUTE", "MINUTES": return moment(value).map { moved($0, byMilliseconds: amount * 60_000) } ?? .null
        default: return .null
        }
    }

    private func monthsAdded(_ value: FormulaValue, _ months: Int) -> FormulaValue {
        guard let instant = moment(value) else { return .null }
        var day = clock.day(of: instant)
        if case .date(let given) = value { day = given }
        guard let iso = CalendarDate(daysSinceEpoch: day)?.iso, let year = Int(iso.prefix(4)), let month = Int(iso.dropFirst(5).prefix(2)),
            let dayOfMonth = Int(iso.suffix(2))
        else { return .null }
        let index = year * 12 + month - 1 + months
        guard let first = Self.day(year: index / 12, month: index % 12 + 1, day: 1),
            let next = Self.day(year: (index + 1) / 12, month: (index + 1) % 12 + 1, day: 1)
        else { return .null }
        let moved = first + min(dayOfMonth, next - first) - 1
        if case .date = value { return Self.date(moved) }
        return self.moved(instant, byMilliseconds: Double(moved - day) * 86_400_000)
    }

    private static func day(year: Int, month: Int, day: Int) -> Int? {
        guard (1...9999).contains(year) else { return nil }
        let digits = String(year)
        return CalendarDate(String(repeating: "0", count: 4 - digits.count) + digits + "-" + padded(month) + "-" + padded(day))?
            .daysSinceEpoch
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

    private func shown(_ value: FormulaValue) -> String {
        switch value {
        case .null: ""
        case .number(let number): number == number.rounded() && number.magnitude < 1e15 ? String(Int64(number)) : String(number)
        case .text(let text): text
        case .flag(let flag): flag ? "true" : "false"
        case .date(let day): CalendarDate(daysSinceEpoch: day)?.iso ?? ""
        case .instant(let instant): instant.iso(offsetMinutes: clock.zone.offsetMinutes(at: instant))
        }
    }
}

extension [String] {
    /// The elements with `divider` between each two.
    fileprivate func interleaved(with divider: String) -> [String] {
        var all: [String] = []
        all.reserveCapacity(count * 2)
        for (index, element) in enumerated() {
            if index > 0 { all.append(divider) }
            all.append(element)
        }
        return all
    }
}
