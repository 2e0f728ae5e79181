/// Works out of what kind an expression is, and refuses what does not fit together.
struct FormulaTypes {
    let kind: (String) -> Formula.Kind?

    func kind(of node: Formula.Node) throws(Formula.Mistake) -> Formula.Kind {
        switch node {
        case .number: return .number
        case .text: return .text
        case .flag: return .flag
        case .field(let name):
            guard let found = kind(name) else { throw Formula.Mistake(reason: "no field \(name) that a formula can read") }
            return found
        case .negative(let inner): return try expect(.number, inner)
        case .not(let inner): return try expect(.flag, inner)
        case .binary(let sign, let left, let right): return try binary(sign, left, right)
        case .call(let function, let arguments): return try call(function, arguments)
        }
    }

    private func expect(_ wanted: Formula.Kind, _ node: Formula.Node) throws(Formula.Mistake) -> Formula.Kind {
        let found = try kind(of: node)
        guard found == wanted else { throw Formula.Mistake(reason: "\(found.rawValue) where \(wanted.rawValue) is wanted") }
        return found
    }

    private func binary(_ sign: Formula.Operator, _ left: Formula.Node, _ right: Formula.Node) throws(Formula.Mistake) -> Formula.Kind {
        let one = try kind(of: left)
        let other = try kind(of: right)
        let days: Set<Formula.Kind> = [.date, .instant]
        if sign.isComparison {
            guard one == other || (days.contains(one) && days.contains(other)) else {
                throw Formula.Mistake(reason: "\(one.rawValue) cannot be compared with \(other.rawValue)")
            }
            return .flag
        }
        switch (sign, one, other) {
        case (.or, .flag, .flag), (.and, .flag, .flag): return .flag
        case (.plus, .text, .text): return .text
        case (.plus, _, .number) where days.contains(one), (.minus, _, .number) where days.contains(one): return one
        case (.minus, _, _) where days.contains(one) && days.contains(other): return .number
        case (.plus, .number, .number), (.minus, .number, .number), (.times, .number, .number), (.divided, .number, .number),
            (.remainder, .number, .number), (.power, .number, .number):
            return .number
        default: throw Formula.Mistake(reason: "\(sign.rawValue) does not take \(one.rawValue) and \(other.rawValue)")
        }
    }

    private func call(_ function: FormulaFunction, _ arguments: [Formula.Node]) throws(Formula.Mistake) -> Formula.Kind {
        let signature = function.signature
        let parameters = signature.parameters
        guard arguments.count == parameters.count || (signature.repeats && arguments.count > parameters.count) else {
            throw Formula.Mistake(reason: "\(function.rawValue) takes \(parameters.count) values")
        }
        var kinds: [Formula.Kind] = []
        for (index, argument) in arguments.enumerated() {
            switch parameters[min(index, parameters.count - 1)] {
            case .any: kinds.append(try kind(of: argument))
            case .kind(let wanted): kinds.append(try expect(wanted, argument))
            case .day:
                let found = try kind(of: argument)
                guard found == .date || found == .instant else {
                    throw Formula.Mistake(reason: "\(function.rawValue) takes a date, not \(found.rawValue)")
                }
                kinds.append(found)
            }
        }
        if let yields = signature.yields { return yields }
        if function == .if, kinds[1] != kinds[2] { throw Formula.Mistake(reason: "both values of if must be of one kind") }
        return function == .if ? kinds[1] : kinds[0]
    }
}
