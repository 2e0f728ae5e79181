import Metadata
import Wire

/// What a column's type allows in COQL: operators, values, functions (`metadata/types.md`, "Operator sets").
struct COQLTypes {
    private let name: COQLName
    private let field: Field?
    private let kind: Kind

    private enum Kind { case sealed, sealedNumbers, words, choices, numbers, dates, instants, references, flag, moduleName }

    init(_ path: FieldPath, _ name: COQLName) throws(Rejection) {
        self.name = name
        field = path.field
        switch path.leaf {
        case .person: kind = .words
        case .moduleName: kind = .moduleName
        case .field(let field):
            guard !field.columns.isEmpty, let kind = Self.kind(of: field) else {
                throw COQLRefusal.column(name, "the column is not supported in criteria")
            }
            self.kind = kind
        }
    }

    private static func kind(of field: Field) -> Kind? {
        switch field.type.comparison {
        case .text, .choice: .words
        case .longText: field.isSmall ? .words : nil
        case .choices: .choices
        case .number: .numbers
        case .date: .dates
        case .instant: .instants
        case .reference: .references
        case .flag: .flag
        case .none: nil
        case .sealed: field.plainType.comparison == .number ? .sealedNumbers : .sealed
        }
    }

    private static let words: Set<COQLOperator> = [.equal, .notEqual, .like, .notLike, .among, .notAmong, .isNull, .isNotNull]
    private static let ordered: Set<COQLOperator> = Set(COQLOperator.allCases).subtracting([.like, .notLike])
    private static let references: Set<COQLOperator> = [.equal, .notEqual, .among, .notAmong, .isNull, .isNotNull]

    func require(_ operation: COQLOperator) throws(Rejection) {
        let allowed: Set<COQLOperator> =
            switch kind {
            case .words, .choices: Self.words
            case .numbers, .dates, .instants: Self.ordered
            case .references, .moduleName: Self.references
            case .flag: [.equal]
            case .sealed: [.isNull, .isNotNull]
            case .sealedNumbers: [.equal, .notEqual, .isNull, .isNotNull]
            }
        guard allowed.contains(operation) else { throw COQLRefusal.operation(name, operation, "the operator does not fit the column") }
    }

    /// The values an operand stands for: one, except for a multi-select picklist's `A;B`.
    func values(_ operand: COQLOperand, _ operation: COQLOperator) throws(Rejection) -> [JSONValue] {
        let text = operand.text
        switch kind {
        case .sealed: break
        case .words:
            if case .word = operand, field?.type.comparison != .choice { break }
            return [.string(text)]
        case .choices:
            let parts = operation == .equal || operation == .notEqual ? text.split(separator: ";").map(String.init) : [text]
            if !parts.isEmpty { return parts.map(JSONValue.string) }
        case .moduleName: return [.string(text)]
        case .numbers, .sealedNumbers:
            if case .word = operand { break }
            if let whole = Int64(text) { return [.integer(whole)] }
            if let number = Double(text), number.isFinite { return [.real(number)] }
        case .references:
            if let id = Int64(text), id >= 0 { return [.integer(id)] }
        case .dates:
            if CalendarDate(text) != nil { return [.string(text)] }
        case .instants:
            if Instant(iso: text) != nil { return [.string(text)] }
        case .flag:
            let flag = text.lowercased()
            if flag == "true" || flag == "false" { return [.bool(flag == "true")] }
        }
        throw COQLRefusal.operation(name, operation, "the value does not fit the column")
    }
}

extension COQLTypes {
    static func requireSelectable(_ path: FieldPath, _ name: COQLName) throws(Rejection) {
        guard let field = path.field, field.columns.isEmpty else { return }
        // Tags and territories live in rows of their own, and are shown for the records of the query itself.
        guard field.apiName == "Tag" || field.type.cell == .territories, path.hops.isEmpty else {
            throw COQLRefusal.column(name, "the column is not supported")
        }
    }

    static func requireSortable(_ path: FieldPath, _ name: COQLName) throws(Rejection) {
        guard let field = path.field else { return }
        let sortable =
            !field.columns.isEmpty && !field.isEncrypted && field.type.comparison != .none && field.type.comparison != .choices
            && (field.type.comparison != .longText || field.isSmall)
        guard sortable else { throw COQLRefusal.column(name, "the column cannot be sorted or grouped by") }
    }

    static func require(_ function: QueryTerms.Function, _ path: FieldPath, _ name: COQLName) throws(Rejection) {
        let comparison = path.field.map { $0.columns.isEmpty ? .none : $0.type.comparison } ?? FieldType.Comparison.none
        let allowed: Set<FieldType.Comparison> =
            switch function {
            case .sum, .average: [.number]
            case .minimum, .maximum: [.number, .date, .instant]
            case .count: [.number, .date, .instant, .reference, .choice]
            }
        guard allowed.contains(comparison) else {
            throw COQLRefusal.column(name, "the function \(function.rawValue) does not fit the column")
        }
    }
}

extension Field {
    /// Text of one line or a few, which criteria may ask about.
    fileprivate var isSmall: Bool { body["textarea"]?["type"]?.string == "small" }
}
