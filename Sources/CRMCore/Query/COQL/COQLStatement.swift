/// A COQL query as it is written: nothing in it is known to exist yet.
struct COQLStatement: Sendable, Equatable {
    struct Column: Sendable, Equatable {
        let value: COQLValueTerm
        let alias: String?
        /// The column as written, which names it in the answer.
        let text: String
    }

    struct Order: Sendable, Equatable {
        let value: COQLValueTerm
        let descending: Bool
    }

    let columns: [Column]
    let source: COQLSource
    let condition: COQLCondition
    let groups: [COQLName]
    let order: [Order]
    let limit: Int?
    let offset: Int
}

/// A path, or a function of one.
struct COQLValueTerm: Sendable, Equatable {
    let function: QueryTerms.Function?
    let name: COQLName
}

/// A path of names, such as `Account_Name.Owner` or `What_Id->Deals.Amount`.
struct COQLName: Sendable, Equatable {
    /// As written, without quotes.
    let text: String
    /// The module put in front with `!`.
    let module: String?
    let steps: [FieldPath.Step]
    let place: COQLPlace

    init(text: String, module: String? = nil, place: COQLPlace) {
        self.text = text
        self.module = module
        self.place = place
        steps = text.split(separator: ".", omittingEmptySubsequences: false).map { part in
            guard let arrow = part.firstRange(of: "->") else { return FieldPath.Step(String(part)) }
            return FieldPath.Step(String(part[..<arrow.lowerBound]), module: String(part[arrow.upperBound...]))
        }
    }
}

/// A module, perhaps narrowed to one of its custom views.
struct COQLSource: Sendable, Equatable {
    let module: String
    let view: String?
    let place: COQLPlace
}

indirect enum COQLCondition: Sendable, Equatable {
    case all(COQLCondition, COQLCondition)
    case any(COQLCondition, COQLCondition)
    case test(COQLTest)
}

struct COQLTest: Sendable, Equatable {
    let name: COQLName
    let operation: COQLOperator
    let operands: [COQLOperand]
    /// `in (select id from …)`.
    let query: COQLSubquery?
}

struct COQLSubquery: Sendable, Equatable {
    let column: COQLName
    let source: COQLSource
    let condition: COQLCondition
}

enum COQLOperand: Sendable, Equatable {
    case quoted(String)
    case literal(String)
    case word(String)

    var text: String {
        switch self {
        case .quoted(let text), .literal(let text), .word(let text): text
        }
    }
}

/// The operators, spelled as refusals name them.
enum COQLOperator: String, Sendable, CaseIterable {
    case equal = "="
    case notEqual = "!="
    case greaterOrEqual = ">="
    case greater = ">"
    case lessOrEqual = "<="
    case less = "<"
    case like
    case notLike = "not like"
    case among = "in"
    case notAmong = "not in"
    case between
    case notBetween = "not between"
    case isNull = "is null"
    case isNotNull = "is not null"
}
