import HTTPShell
import Wire

/// Puts the external field beside the id in the results of a write, as the caller knows its records by it.
struct ExternalNames {
    let field: String?
    /// The value that named each item; `nil` where an id did.
    let keys: [String?]

    func complete(_ reply: Reply) -> Reply {
        guard let field, keys.contains(where: { $0 != nil }), !reply.body.isEmpty, var answer = try? JSONValue.parse(reply.body),
            let results = answer["data"]?.array, results.count == keys.count
        else { return reply }
        answer["data"] = .array(
            zip(results, keys).enumerated().map { index, entry in
                guard let key = entry.1 else { return entry.0 }
                var result = entry.0
                result["details"] = details(result["details"] ?? [:], field, key, "$.data[\(index)].")
                return result
            })
        var completed = reply
        completed.body = answer.encoded()
        return completed
    }

    private func details(_ details: JSONValue, _ field: String, _ key: String, _ item: String) -> JSONValue {
        // A refusal about the id is one about the value given in its place.
        if details["json_path"]?.string == item + "id" {
            var own = details
            own["api_name"] = .string(field)
            own["json_path"] = .string(item + field)
            return own
        }
        if details["json_path"] != nil { return details }
        let rest = (details.members ?? []).filter { $0.name != field && !($0.name == "id" && $0.value == ExternalBody.nobody) }
        return .object([.init(field, .string(key))] + rest)
    }
}
