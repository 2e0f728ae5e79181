import HTTPShell
import Wire

/// References to answers of other sub-requests inside texts: `@{<sub_request_id>:<JSONPath from $>}`.
struct SubReference: Sendable, Equatable {
    let id: String
    let steps: [JSONPath.Step]

    /// `nil` when the text between the braces is none.
    private init?(_ text: Substring) {
        guard let colon = text.firstIndex(of: ":"), SubRequest.isID(text[..<colon]),
            let steps = Self.steps(text[text.index(after: colon)...])
        else { return nil }
        id = String(text[..<colon])
        self.steps = steps
    }

    /// `$`, `.name`, `['name']` and `[0]`.
    private static func steps(_ path: Substring) -> [JSONPath.Step]? {
        guard path.first == "$" else { return nil }
        var rest = path.dropFirst()
        var steps: [JSONPath.Step] = []
        while let mark = rest.first {
            rest = rest.dropFirst()
            if mark == "." {
                let name = rest.prefix { $0 != "." && $0 != "[" }
                guard !name.isEmpty else { return nil }
                steps.append(.member(String(name)))
                rest = rest.dropFirst(name.count)
            } else {
                guard mark == "[", let end = rest.firstIndex(of: "]") else { return nil }
                let inner = rest[..<end]
                if let index = Int(inner), index >= 0 {
                    steps.append(.index(index))
                } else if inner.count > 2, inner.first == "'", inner.last == "'" {
                    steps.append(.member(String(inner.dropFirst().dropLast())))
                } else {
                    return nil
                }
                rest = rest[rest.index(after: end)...]
            }
        }
        return steps
    }

    func value(in answer: JSONValue) -> JSONValue? {
        var value = answer
        for step in steps {
            switch step {
            case .member(let name):
                guard let next = value[name] else { return nil }
                value = next
            case .index(let index):
                guard let elements = value.array, elements.indices.contains(index) else { return nil }
                value = elements[index]
            }
        }
        return value.isNull ? nil : value
    }

    /// A text cut at its references. One that is begun and not right is refused.
    static func pieces(_ text: String) throws(Rejection) -> [(text: String, reference: SubReference?)] {
        var pieces: [(text: String, reference: SubReference?)] = []
        var rest = text[...]
        while let start = rest.firstRange(of: "@{") {
            if start.lowerBound > rest.startIndex { pieces.append((String(rest[..<start.lowerBound]), nil)) }
            guard let end = rest[start.upperBound...].firstIndex(of: "}"), let reference = SubReference(rest[start.upperBound..<end]) else {
                throw Rejection(.invalidReference, .other("reference", .string(String(rest[start.lowerBound...].prefix(100)))))
            }
            pieces.append(("", reference))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty || pieces.isEmpty { pieces.append((String(rest), nil)) }
        return pieces
    }

    static func all(in value: JSONValue) throws(Rejection) -> [SubReference] {
        var found: [SubReference] = []
        switch value {
        case .string(let text): for piece in try pieces(text) { if let reference = piece.reference { found.append(reference) } }
        case .array(let elements): for element in elements { found += try all(in: element) }
        case .object(let members): for member in members { found += try all(in: member.value) }
        case .null, .bool, .number: break
        }
        return found
    }

    var refusal: Rejection {
        Rejection(.invalidReference, .other("sub_request_id", .string(id)), .other("json_path", .string(JSONPath(steps).description)))
    }
}

/// Puts the values of answers where texts refer to them.
struct SubAnswers: Sendable {
    /// Bodies of answers that did not fail, by sub-request.
    var bodies: [String: JSONValue] = [:]

    /// A text that is one reference becomes the value itself.
    func resolved(_ value: JSONValue) throws(Rejection) -> JSONValue {
        switch value {
        case .string(let text):
            let pieces = try SubReference.pieces(text)
            if pieces.count == 1, let reference = pieces[0].reference { return try self.value(of: reference) }
            return .string(try resolved(text, escaping: { $0 }))
        case .array(let elements):
            var resolved: [JSONValue] = []
            for element in elements { resolved.append(try self.resolved(element)) }
            return .array(resolved)
        case .object(let members):
            var resolved: [JSONValue.Member] = []
            for member in members { resolved.append(.init(member.name, try self.resolved(member.value))) }
            return .object(resolved)
        case .null, .bool, .number: return value
        }
    }

    func resolved(_ text: String, escaping: (String) -> String) throws(Rejection) -> String {
        var resolved = ""
        for piece in try SubReference.pieces(text) {
            guard let reference = piece.reference else {
                resolved += piece.text
                continue
            }
            let value = try self.value(of: reference)
            resolved += escaping(value.string ?? value.text)
        }
        return resolved
    }

    private func value(of reference: SubReference) throws(Rejection) -> JSONValue {
        guard let value = bodies[reference.id].flatMap(reference.value) else { throw reference.refusal }
        return value
    }
}
