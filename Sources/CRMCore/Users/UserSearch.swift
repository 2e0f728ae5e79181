import Metadata
import Wire

/// Finds users by a condition. They are few and in memory, so the tests are made there, with the meaning the planner gives them.
package struct UserSearch: Sendable {
    private let module: Module

    package init(_ module: Module) { self.module = module }

    /// Every word in some text of the user.
    package func condition(words: String) -> Condition {
        let texts = module.fields.filter { $0.type.comparison == .text || $0.apiName == "full_name" }
        return .all(
            words.split(whereSeparator: \.isWhitespace).prefix(10).map { word in
                .any(texts.map { .test(field: $0.apiName, .contains, [.string(String(word))]) })
            })
    }

    package func accepts(_ user: User, _ condition: Condition) throws(Rejection) -> Bool {
        switch condition {
        case .always: return true
        case .all(let parts):
            for part in parts where try !accepts(user, part) { return false }
            return true
        case .any(let parts):
            for part in parts where try accepts(user, part) { return true }
            return false
        case .not(let part): return try !accepts(user, part)
        case .ids(let ids): return ids.contains(RecordID(raw: user.id.raw))
        case .test(let name, let comparator, let operands): return try test(user, name, comparator, operands)
        case .linked, .path, .found, .pointsAt, .inTerritories, .invites, .refersToLiving:
            throw Rejection(.invalidQuery, .other("reason", "users cannot be asked that"))
        }
    }

    private func test(_ user: User, _ name: String, _ comparator: Comparator, _ operands: [JSONValue]) throws(Rejection) -> Bool {
        guard let field = module.field(name) else { throw Rejection(.invalidQuery, .apiName(name), .other("reason", "invalid field")) }
        let value = name == "id" ? .string(String(user.id.raw)) : user.body[name] ?? .null
        if value.isNull || value == "" { return [.empty, .notEqual, .notAmong, .notContains, .notBetween].contains(comparator) }
        switch comparator {
        case .empty: return false
        case .notEmpty: return true
        default: break
        }
        let wanted = operands.map { operand in
            operand.string ?? operand.int64.map(String.init) ?? operand.bool.map { $0 ? "true" : "false" } ?? ""
        }
        guard let first = wanted.first else { return false }
        switch field.type.comparison {
        case .instant: return ordered(instant(value.string), wanted.map { instant($0) }, comparator)
        case .reference:
            return among([value["id"]?.string ?? value.string ?? "", value["name"]?.string?.lowercased() ?? ""], wanted, comparator)
        case .flag: return among([value.bool == true ? "true" : "false"], wanted, comparator)
        default:
            let text = (value.string ?? value.int64.map(String.init) ?? "").lowercased()
            switch comparator {
            case .contains: return text.contains(first.lowercased())
            case .notContains: return !text.contains(first.lowercased())
            case .startsWith: return text.hasPrefix(first.lowercased())
            case .endsWith: return text.hasSuffix(first.lowercased())
            case .equal, .notEqual, .among, .notAmong: return among([text], wanted, comparator)
            default: return ordered(text, wanted.map { $0.lowercased() }, comparator)
            }
        }
    }

    private func instant(_ text: String?) -> Int64 { text.flatMap(Instant.init(iso:))?.milliseconds ?? 0 }

    private func among(_ spellings: [String], _ wanted: [String], _ comparator: Comparator) -> Bool {
        let holds = wanted.contains { spellings.contains($0.lowercased()) }
        return [.notEqual, .notAmong, .notContains].contains(comparator) ? !holds : holds
    }

    private func ordered<T: Comparable>(_ value: T, _ wanted: [T], _ comparator: Comparator) -> Bool {
        guard let first = wanted.first, let last = wanted.last else { return false }
        return switch comparator {
        case .less: value < first
        case .lessOrEqual: value <= first
        case .greater: value > first
        case .greaterOrEqual: value >= first
        case .between: value >= first && value <= last
        case .notBetween: value < first || value > last
        case .notEqual, .notAmong: !wanted.contains(value)
        case .equal, .among, .contains, .notContains, .startsWith, .endsWith, .digits, .empty, .notEmpty: wanted.contains(value)
        }
    }
}
