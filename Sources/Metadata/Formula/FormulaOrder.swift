import Wire

/// The formulas of a module in an order in which each finds what it reads computed.
enum FormulaOrder {
    static func formulas(of fields: [Field]) -> [(field: Field, formula: Formula)] {
        let computed = fields.filter { $0.type.dataType == "formula" && !$0.columns.isEmpty }
        guard !computed.isEmpty else { return [] }
        let kinds = Dictionary(fields.map { ($0.apiName, Formula.Kind($0.type.comparison)) }, uniquingKeysWith: { first, _ in first })
        var waiting = computed.compactMap { field -> (field: Field, formula: Formula)? in
            guard let body = field.body["formula"], let text = body["expression"]?.string,
                let kind = body["return_type"]?.string.flatMap(Formula.Kind.init(returnType:)),
                let formula = try? Formula(
                    text, yielding: kind, assumesDefaults: body["assume_default"]?.bool ?? false, kind: { kinds[$0].flatMap { $0 } })
            else { return nil }
            return (field, formula)
        }
        var ordered: [(field: Field, formula: Formula)] = []
        while !waiting.isEmpty {
            let pending = Set(waiting.map(\.field.apiName))
            let next = waiting.firstIndex { $0.formula.names.isDisjoint(with: pending) } ?? 0
            ordered.append(waiting.remove(at: next))
        }
        return ordered
    }
}
