/// An expression of a formula field, parsed and checked once, when the catalog is read.
package struct Formula: Sendable {
    /// What an expression yields. Empty values are of every kind.
    package enum Kind: String, Sendable {
        case number, text, flag, date, instant
    }

    package indirect enum Node: Sendable {
        case number(Double)
        case text(String)
        case flag(Bool)
        case field(String)
        case negative(Node)
        case not(Node)
        case binary(Operator, Node, Node)
        case call(FormulaFunction, [Node])
    }

    package enum Operator: String, Sendable {
        case or = "||"
        case and = "&&"
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case plus = "+"
        case minus = "-"
        case times = "*"
        case divided = "/"
        case remainder = "%"
        case power = "^"

        var isComparison: Bool {
            switch self {
            case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
            default: false
            }
        }
    }

    /// Why a text is no formula.
    package struct Mistake: Error {
        package let reason: String
    }

    package let root: Node
    /// The API names of the fields it reads.
    package let names: Set<String>
    /// Whether empty values count as zero and as the empty text; otherwise one of them makes the result empty.
    package let assumesDefaults: Bool

    /// `kind` tells of what kind the values of a field are; `nil` for fields a formula cannot read.
    package init(_ text: String, yielding wanted: Kind, assumesDefaults: Bool, kind: @escaping (String) -> Kind?) throws(Mistake) {
        var parser = try FormulaParser(text)
        root = try parser.formula()
        names = parser.names
        self.assumesDefaults = assumesDefaults
        let yielded = try FormulaTypes(kind: kind).kind(of: root)
        let fits = yielded == wanted || (yielded == .date && wanted == .instant) || (yielded == .instant && wanted == .date)
        guard fits else { throw Mistake(reason: "yields \(yielded.rawValue), not \(wanted.rawValue)") }
    }
}

extension Formula.Kind {
    /// Of a field's values; `nil` for those that formulas cannot read.
    package init?(_ comparison: FieldType.Comparison) {
        switch comparison {
        case .number: self = .number
        case .text, .longText, .choice: self = .text
        case .flag: self = .flag
        case .date: self = .date
        case .instant: self = .instant
        case .reference, .choices, .none, .sealed: return nil
        }
    }

    /// Of a formula's `return_type`.
    package init?(returnType: String) {
        switch returnType {
        case "double", "currency": self = .number
        case "text": self = .text
        case "boolean": self = .flag
        case "date": self = .date
        case "datetime": self = .instant
        default: return nil
        }
    }
}
