import Foundation
import Metadata
import SQLStore
import Wire

/// Works out a formula for one record. Kinds were checked when it was parsed; an empty operand makes the result empty, unless
/// the formula assumes defaults. So do a division by zero and a result that is no number.
struct FormulaEvaluator {
    let record: Record
    let assumesDefaults: Bool
    let clock: FormulaClock

    func value(_ node: Formula.Node) -> FormulaValue {
        switch node {
        case .number(let value): return .number(value)
        case .text(let text): return .text(text)
        case .flag(let flag): return .flag(flag)
        case .field(let name):
            guard let field = record.module.field(name) else { return .null }
            let held = FormulaValue(record[field], field.type.comparison)
            return held == .null && assumesDefaults ? .assumed(field.type.comparison) : held
        case .negative(let inner):
            guard case .number(let value) = value(inner) else { return .null }
            return .number(-value)
        case .not(let inner):
            guard case .flag(let flag) = value(inner) else { return .null }
            return .flag(!flag)
        case .binary(let sign, let left, let right): return binary(sign, left, right)
        case .call(let function, let arguments): return call(function, arguments)
        }
    }

    private func binary(_ sign: Formula.Operator, _ left: Formula.Node, _ right: Formula.Node) -> FormulaValue {
        let one = value(left)
        // The second side of a decided question is not asked.
        if sign == .and, one == .flag(false) { return one }
        if sign == .or, one == .flag(true) { return one }
        let other = value(right)
        switch (one, other) {
        case (.number(let a), .number(let b)): return numbers(sign, a, b)
        case (.text(let a), .text(let b)): return sign == .plus ? Self.joined([a, b]) : compared(sign, a < b, a == b)
        case (.flag(let a), .flag(let b)):
            return switch sign {
            case .and: .flag(a && b)
            case .or: .flag(a || b)
            default: compared(sign, !a && b, a == b)
            }
        case (.date(let day), .number(let days)): return whole(days).map { Self.date(sign == .minus ? day - $0 : day + $0) } ?? .null
        case (.instant(let instant), .number(let days)):
            return moved(instant, byMilliseconds: (sign == .minus ? -days : days) * 86_400_000)
        case (.date(let a), .date(let b)): return sign == .minus ? .number(Double(a - b)) : compared(sign, a < b, a == b)
        case (.instant, .date), (.date, .instant), (.instant, .instant):
            guard let a = moment(one), let b = moment(other) else { return .null }
            let apart = Double(a.milliseconds - b.milliseconds) / 86_400_000
            return sign == .minus ? .number(apart) : compared(sign, a < b, a == b)
        default: return .null
        }
    }

    private func numbers(_ sign: Formula.Operator, _ a: Double, _ b: Double) -> FormulaValue {
        let result: Double
        switch sign {
        case .plus: result = a + b
        case .minus: result = a - b
        case .times: result = a * b
        case .divided: result = a / b
        case .remainder: result = a.truncatingRemainder(dividingBy: b)
        case .power: result = pow(a, b)
        default: return compared(sign, a < b, a == b)
        }
        return result.isFinite ? .number(result) : .null
    }

    private func compared(_ sign: Formula.Operator, _ isLess: Bool, _ isEqual: Bool) -> FormulaValue {
        switch sign {
        case .equal: .flag(isEqual)
        case .notEqual: .flag(!isEqual)
        case .less: .flag(isLess)
        case .lessOrEqual: .flag(isLess || isEqual)
        case .greater: .flag(!isLess && !isEqual)
        case .greaterOrEqual: .flag(!isLess)
        default: .null
        }
    }

    func whole(_ number: Double) -> Int? { number.magnitude < 1e9 ? Int(number.rounded(.towardZero)) : nil }

    /// Moments and days that no calendar of ours shows are no values.
    func moved(_ instant: Instant, byMilliseconds change: Double) -> FormulaValue {
        guard change.magnitude < 1e15 else { return .null }
        let moved = Instant(milliseconds: instant.milliseconds + Int64(change))
        // A day of room at both ends, for offsets.
        let days = moved.milliseconds / 86_400_000
        return Int64(CalendarDate.shownDays.lowerBound + 1)...Int64(CalendarDate.shownDays.upperBound - 1) ~= days ? .instant(moved) : .null
    }

    static func date(_ day: Int) -> FormulaValue { CalendarDate.shownDays.contains(day) ? .date(day) : .null }

    /// Texts longer than any field holds are not made: a short formula could ask for gigabytes.
    static let longestText = 64 * 1024

    static func joined(_ texts: [String]) -> FormulaValue {
        texts.reduce(0) { $0 + $1.utf8.count } <= longestText ? .text(texts.joined()) : .null
    }

    func moment(_ value: FormulaValue) -> Instant? {
        switch value {
        case .instant(let instant): instant
        case .date(let day): clock.start(of: day)
        default: nil
        }
    }
}
