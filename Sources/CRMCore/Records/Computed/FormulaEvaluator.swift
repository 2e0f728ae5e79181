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
        case (.text(let a), .text(let b)): return sign == .plus ? .text(a + b) : compared(sign, a < b, a == b)
        case (.flag(let a), .flag(let b)):
            return switch sign {
            case .and: .flag(a && b)
            case .or: .flag(a || b)
            default: compared(sign, !a && b, a == b)
            }
        case (.date(let day), .number(let days)): return whole(days).map { .date(sign == .minus ? day - $0 : day + $0) } ?? .null
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
        switch sign {
        case .plus: .number(a + b)
        case .minus: .number(a - b)
        case .times: .number(a * b)
        case .divided: b == 0 ? .null : .number(a / b)
        case .remainder: b == 0 ? .null : .number(a.truncatingRemainder(dividingBy: b))
        case .power: .number(pow(a, b))
        default: compared(sign, a < b, a == b)
        }
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

    func moved(_ instant: Instant, byMilliseconds change: Double) -> FormulaValue {
        guard change.magnitude < 1e15 else { return .null }
        return .instant(Instant(milliseconds: instant.milliseconds + Int64(change)))
    }

    func moment(_ value: FormulaValue) -> Instant? {
        switch value {
        case .instant(let instant): instant
        case .date(let day): clock.start(of: day)
        default: nil
        }
    }
}
