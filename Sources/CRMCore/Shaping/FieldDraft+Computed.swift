import Metadata
import Wire

/// Fields whose values follow from others.
extension FieldDraft {
    mutating func readFormula() throws(Rejection) {
        guard let formula = item.optional("formula"), !formula.value.isNull else {
            throw .dependent("formula", on: "data_type", at: item.path)
        }
        let type = try formula.required("return_type")
        let types = ["double", "currency", "text", "date", "datetime", "boolean"]
        guard let returned = type.value.string, types.contains(returned) else { throw .unsupported(types, at: type.path) }
        let expression = try formula.required("expression")
        let text = try expression.string(max: 4000, min: 1)
        try checkFormula(text, returned, at: expression.path)
        body["formula"] = [
            "return_type": .string(returned), "expression": .string(text),
            "assume_default": .bool(try formula.optional("assume_default").flatMap { $0.value.isNull ? nil : $0 }?.bool() ?? false),
        ]
        body["json_type"] = .string(returned == "boolean" ? "boolean" : ["double", "currency"].contains(returned) ? "double" : "string")
        if returned == "text" { body["filterable"] = false }
        if let given = item.optional("decimal_place"), !given.value.isNull {
            guard let places = given.value.looseInt64, (0...9).contains(places) else { throw .invalid(at: given.path) }
            body["decimal_place"] = .integer(places)
        }
    }

    /// It must parse, fit the fields it reads and the type it is to yield, and not lead back to its own field.
    private func checkFormula(_ text: String, _ returned: String, at path: JSONPath) throws(Rejection) {
        guard let kind = Formula.Kind(returnType: returned) else { throw .invalid(at: path) }
        let formula: Formula
        do {
            formula = try Formula(text, yielding: kind, assumesDefaults: false) { name in
                guard let field = module.field(name), !field.columns.isEmpty else { return nil }
                return Formula.Kind(field.type.comparison)
            }
        } catch {
            throw .invalid(at: path, message: "the formula is wrong: \(error.reason)")
        }
        guard let existing else { return }
        var asked = Array(formula.names)
        var seen: Set<String> = []
        while let name = asked.popLast() {
            if name == existing.apiName { throw .invalid(at: path, message: "the formula leads back to its own field") }
            guard seen.insert(name).inserted else { continue }
            asked += module.formulas.first { $0.field.apiName == name }?.formula.names ?? []
        }
    }

    mutating func readRollup() throws(Rejection) {
        guard let rollup = item.optional("rollup_summary"), !rollup.value.isNull else {
            throw .dependent("rollup_summary", on: "data_type", at: item.path)
        }
        let expression = try rollup.required("expression")
        let function = try expression.required("function")
        guard let name = function.value.string.flatMap(Rollup.Function.init(_:)) else {
            throw .unsupported(Rollup.Function.allCases.map(\.rawValue), at: function.path)
        }
        let based = try NamedModule.read(try rollup.required("based_on_module"), scope.catalog)
        let list = try rollup.required("related_list")
        let listID = try list.ownID()
        let modules = Dictionary(scope.catalog.modules.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        guard
            let related = scope.catalog.relatedLists(of: module.id).first(where: {
                $0.apiName == list.value["api_name"]?.string || $0.id.raw == listID?.raw
            }), related.listed == based.id, related.plainLookup(modules) != nil
        else { throw .invalid(at: list.path) }
        let parameter = try readParameter(expression, name, based)
        if let criteria = expression.optional("criteria"), !criteria.value.isNull {
            do { _ = try KeptCriteria.read(criteria, of: based, scope) } catch { throw .invalid(at: criteria.path) }
        }
        if let basis = rollup.optional("rollup_based_on"), !basis.value.isNull {
            // What the page of fields has.
            guard let text = basis.value.string, ["module", "layout"].contains(text) else {
                throw .unsupported(["module", "layout"], at: basis.path)
            }
        }
        guard let returned = Rollup.returnType(name, of: parameter) else {
            throw .invalid(at: expression.path.appending("function_parameters"))
        }
        body["json_type"] = .string(
            ["integer", "double", "currency"].contains(returned) ? (returned == "integer" ? "integer" : "double") : "string")
        body["rollup_summary"] = [
            "return_type": .string(returned),
            "expression": [
                "function": .string(name.rawValue),
                "function_parameters": .array(parameter.map { [["api_name": .string($0.apiName)]] } ?? []),
                "criteria": expression.value["criteria"] ?? .null,
            ],
            "based_on_module": ["api_name": .string(based.apiName), "id": .string(String(based.id.raw))],
            "related_list": ["api_name": .string(related.apiName), "id": .id(related.id)],
            "rollup_based_on": rollup.value["rollup_based_on"] ?? .null,
        ]
    }

    /// The field that a function other than COUNT is asked of.
    private func readParameter(_ expression: JSONCursor, _ function: Rollup.Function, _ based: Module) throws(Rejection) -> Field? {
        var found: [Field] = []
        for parameter in try expression.optional("function_parameters")?.elements() ?? [] {
            let name = try parameter.required("api_name")
            guard let field = name.value.string.flatMap({ based.field($0) }) else { throw .invalid(at: name.path) }
            found.append(field)
        }
        if function != .count, found.isEmpty { throw .dependent("function_parameters", on: "function", at: expression.path) }
        return found.first
    }
}
