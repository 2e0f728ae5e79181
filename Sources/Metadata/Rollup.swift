import Wire

/// A roll-up summary field: one value computed from the records of a related list.
package struct Rollup: Sendable {
    package enum Function: String, Sendable, CaseIterable {
        case count = "COUNT"
        case sum = "SUM"
        case average = "AVERAGE"
        case smallest = "MIN"
        case largest = "MAX"
        /// The value of the record made last.
        case recent = "RECENT"

        /// `AVG` is another spelling.
        package init?(_ name: String) {
            let name = name.uppercased()
            guard let function = Function(rawValue: name == "AVG" ? "AVERAGE" : name) else { return nil }
            self = function
        }
    }

    package let owner: ModuleID
    package let field: Field
    /// The module of the records summed up, and its lookup that points at the owner.
    package let source: ModuleID
    package let via: Field
    package let function: Function
    package let parameter: Field?
    package let criteria: JSONValue?

    init?(_ field: Field, of owner: Module, _ lists: [RelatedList], modules: [ModuleID: Module]) {
        guard field.type.dataType == "rollup_summary", !field.columns.isEmpty, let body = field.body["rollup_summary"],
            let function = body["expression"]?["function"]?.string.flatMap(Function.init(_:)),
            let list = lists.first(where: { $0.apiName == body["related_list"]?["api_name"]?.string }),
            let (source, via) = list.plainLookup(modules)
        else { return nil }
        let parameter = body["expression"]?["function_parameters"]?.array?.first?["api_name"]?.string.flatMap { source.field($0) }
        guard function == .count || parameter != nil else { return nil }
        self.owner = owner.id
        self.field = field
        self.source = source.id
        self.via = via
        self.function = function
        self.parameter = parameter
        let criteria = body["expression"]?["criteria"]
        self.criteria = criteria.flatMap { $0.isNull || $0 == [:] ? nil : $0 }
    }

    /// What the field holds: `return_type`, from the function and the field it is asked of; `nil` when they do not go together.
    package static func returnType(_ function: Function, of parameter: Field?) -> String? {
        if function == .count { return "integer" }
        guard let parameter, !parameter.columns.isEmpty else { return nil }
        switch (function, parameter.type.comparison) {
        case (.sum, .number), (.average, .number): return parameter.type.dataType == "currency" ? "currency" : "double"
        case (.smallest, .number), (.largest, .number), (.recent, .number):
            return ["integer", "currency", "bigint"].contains(parameter.type.dataType) ? parameter.type.dataType : "double"
        case (.smallest, .date), (.largest, .date), (.recent, .date): return "date"
        case (.smallest, .instant), (.largest, .instant), (.recent, .instant): return "datetime"
        case (.recent, .text), (.recent, .choice): return "text"
        default: return nil
        }
    }
}

extension RelatedList {
    /// The one lookup its rows hang on, when that is all there is to the list.
    package func plainLookup(_ modules: [ModuleID: Module]) -> (source: Module, via: Field)? {
        guard relations.count == 1, case .lookups(let fields, let source, .all) = relations[0], fields.count == 1,
            let module = modules[source], let field = module.field(fields[0])
        else { return nil }
        return (module, field)
    }
}
