extension Rejection {
    /// What a refusal points at. The cases own the key names of the wire.
    package enum Detail: Sendable {
        case apiName(String)
        case jsonPath(JSONPath)
        /// A query parameter. Both spellings of the key occur, so both are sent.
        case parameter(String)
        case expectedType(String)
        case maximumLength(Int)
        case minimumLength(Int)
        /// Counts the parameters of the path from zero.
        case resourcePathIndex(Int)
        case id(RecordID)
        case permissions([String])
        case supportedValues([String])
        /// The key, and its path, that calls for the missing or disagreeing one.
        case dependee(String, JSONPath)
        case other(String, JSONValue)

        var members: [JSONValue.Member] {
            switch self {
            case .apiName(let name): [.init("api_name", .string(name))]
            case .jsonPath(let path): [.init("json_path", .string(path.description))]
            case .parameter(let name): [.init("param", .string(name)), .init("param_name", .string(name))]
            case .expectedType(let type): [.init("expected_data_type", .string(type))]
            case .maximumLength(let length): [.init("maximum_length", .integer(length))]
            case .minimumLength(let length): [.init("minimum_length", .integer(length))]
            case .resourcePathIndex(let index): [.init("resource_path_index", .integer(index))]
            case .id(let id): [.init("id", .id(id))]
            case .permissions(let names): [.init("permissions", .array(names.map(JSONValue.string)))]
            case .supportedValues(let values): [.init("supported_values", .array(values.map(JSONValue.string)))]
            case .dependee(let name, let path):
                [.init("dependee", ["api_name": .string(name), "json_path": .string(path.description)])]
            case .other(let name, let value): [.init(name, value)]
            }
        }
    }
}
