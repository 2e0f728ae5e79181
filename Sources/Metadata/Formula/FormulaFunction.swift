/// The functions of formulas, with what they take and yield. Names are read without letter case.
package enum FormulaFunction: String, Sendable, CaseIterable {
    case abs, ceil, floor, naturallog, base10log, max, min, sqrt
    case len, find, concat, contains, startswith, endswith, lower, upper, trim, ltrim, rtrim, substring, tostring, replace
    case newdate, datepart, timepart, adddate, subdate, now, datecomp, dayofmonth, hour, minute, month, year, weekday
    case `if`, and, or, not

    /// What one argument may be; `any` takes every kind.
    enum Parameter: Sendable {
        case kind(Formula.Kind)
        case day
        case any
    }

    struct Signature: Sendable {
        let parameters: [Parameter]
        /// The last parameter may be repeated.
        var repeats = false
        /// What it yields; `nil` when that follows from its arguments.
        let yields: Formula.Kind?
    }

    var signature: Signature {
        let number = Parameter.kind(.number)
        let text = Parameter.kind(.text)
        let flag = Parameter.kind(.flag)
        return switch self {
        case .abs, .ceil, .floor, .naturallog, .base10log, .sqrt: Signature(parameters: [number], yields: .number)
        case .max, .min: Signature(parameters: [number], repeats: true, yields: .number)
        case .len: Signature(parameters: [text], yields: .number)
        case .find: Signature(parameters: [text, text, number], yields: .number)
        case .concat: Signature(parameters: [text], repeats: true, yields: .text)
        case .contains, .startswith, .endswith: Signature(parameters: [text, text], yields: .flag)
        case .lower, .upper, .trim, .ltrim, .rtrim: Signature(parameters: [text], yields: .text)
        case .substring: Signature(parameters: [text, number, number], yields: .text)
        case .tostring: Signature(parameters: [.any], yields: .text)
        case .replace: Signature(parameters: [text, text, text], yields: .text)
        case .newdate: Signature(parameters: [number, number, number, number, number, text], yields: .instant)
        case .datepart: Signature(parameters: [.day], yields: .date)
        case .timepart: Signature(parameters: [.day], yields: .text)
        case .adddate, .subdate: Signature(parameters: [.day, number, text], yields: nil)
        case .now: Signature(parameters: [], yields: .instant)
        case .datecomp: Signature(parameters: [.day, .day], yields: .number)
        case .dayofmonth, .hour, .minute, .month, .year, .weekday: Signature(parameters: [.day], yields: .number)
        case .if: Signature(parameters: [flag, .any, .any], yields: nil)
        case .and, .or: Signature(parameters: [flag], repeats: true, yields: .flag)
        case .not: Signature(parameters: [flag], yields: .flag)
        }
    }
}
