import Metadata
import Wire

/// Policies as JSON. What a policy says is either done or refused with its path: nothing it names is passed over in silence.
extension SurvivorshipPolicy {
    /// Reads what is given over what is standard for the module.
    package init(_ json: JSONCursor, for module: Module) throws(Rejection) {
        self = .standard(for: module)
        _ = try json.object()
        if let rule = json.optional("master") { masterRule = try Self.word(rule) }
        if let standard = json.optional("default") { self.standard = try Self.word(standard) }
        if let groups = json.optional("groups") { self.groups = try Self.groups(groups, module) }
        if let fields = json.optional("fields") {
            let given = json.optional("groups") != nil
            for member in try fields.object() {
                try name(JSONCursor(member.value, at: fields.path.appending(member.name)), member.name, givenGroups: given, module)
            }
        }
        if let sources = json.optional("trusted_sources") {
            var read: [String] = []
            for source in try sources.elements() { read.append(try source.string()) }
            trustedSources = read
        }
        let all = [standard] + Array(fields.values) + groups.map(\.strategy)
        if trustedSources.isEmpty, all.contains(.trustedSource) { throw .missing("trusted_sources", at: json.path) }
    }

    /// What `init` reads back.
    package var json: JSONValue {
        let groups = groups.map { group -> JSONValue in
            ["fields": .array(group.fields.map(JSONValue.string)), "strategy": .string(group.strategy.rawValue)]
        }
        return [
            "master": .string(masterRule.rawValue), "default": .string(standard.rawValue),
            "fields": .object(fields.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value.rawValue)) }),
            "groups": .array(groups), "trusted_sources": .array(trustedSources.map(JSONValue.string)),
        ]
    }

    /// The strategy of one field. It takes the field out of a standard address; out of a group it was put into, or is bound to,
    /// it cannot be taken.
    private mutating func name(_ word: JSONCursor, _ name: String, givenGroups: Bool, _ module: Module) throws(Rejection) {
        let field = try Self.field(name, module, at: word.path)
        let strategy: Strategy = try Self.word(word)
        if field.apiName == "Tag" {
            guard [.union, .master].contains(strategy) else { throw .unsupported(["union", "master"], at: word.path) }
        } else if !Self.fits(strategy, field, of: module) {
            throw .unsupported(Self.words(for: field, of: module), at: word.path)
        }
        if let index = groups.firstIndex(where: { $0.fields.contains(field.apiName) }) {
            let bound = Self.boundGroups.contains { $0.contains(field.apiName) }
            if bound || givenGroups {
                throw .notAllowed(at: word.path, message: "the field is taken together with its group, and may be named there")
            }
            let left = Group(fields: groups[index].fields.filter { $0 != field.apiName }, strategy: groups[index].strategy)
            if left.fields.count > 1 { groups[index] = left } else { groups.remove(at: index) }
        }
        fields[field.apiName] = strategy
    }

    private static func words(for field: Field, of module: Module) -> [String] {
        Strategy.allCases.filter { fits($0, field, of: module) }.map(\.rawValue)
    }

    /// A field that a policy may name.
    private static func field(_ name: String, _ module: Module, at path: JSONPath) throws(Rejection) -> Field {
        guard let field = module.field(name) else { throw .invalid(at: path, message: "the field api name given seems to be invalid") }
        guard field.apiName == "Tag" || isNameable(field, of: module) else {
            throw .notAllowed(at: path, message: "the field cannot be chosen in a merge")
        }
        return field
    }

    /// The groups given, and those bound ones of which they say nothing.
    private static func groups(_ json: JSONCursor, _ module: Module) throws(Rejection) -> [Group] {
        var read: [Group] = []
        for group in try json.elements() { read.append(try self.group(group, module, earlier: read)) }
        for bound in groups(boundGroups, of: module) {
            let holders = read.filter { group in bound.fields.contains { group.fields.contains($0) } }
            guard let holder = holders.first else {
                read.append(bound)
                continue
            }
            guard holders.count == 1, bound.fields.allSatisfy({ holder.fields.contains($0) }) else {
                throw .invalid(at: json.path, message: "\(bound.fields.joined(separator: " and ")) should belong to the same group")
            }
        }
        return read
    }

    private static func group(_ json: JSONCursor, _ module: Module, earlier: [Group]) throws(Rejection) -> Group {
        var names: [String] = []
        for element in try json.required("fields").elements(2...50) {
            let field = try self.field(try element.string(), module, at: element.path)
            guard field.apiName != "Tag" else { throw .notAllowed(at: element.path, message: "tags are no part of a group") }
            guard !names.contains(field.apiName), !earlier.contains(where: { $0.fields.contains(field.apiName) }) else {
                throw .duplicate(at: element.path)
            }
            names.append(field.apiName)
        }
        guard let word = json.optional("strategy") else { return Group(fields: names, strategy: .firstNonEmpty) }
        let strategy: Strategy = try self.word(word)
        guard strategy != .union else { throw .unsupported(Strategy.allCases.filter { $0 != .union }.map(\.rawValue), at: word.path) }
        return Group(fields: names, strategy: strategy)
    }

    private static func word<Word: RawRepresentable & CaseIterable>(_ json: JSONCursor) throws(Rejection) -> Word
    where Word.RawValue == String {
        guard let word = Word(rawValue: try json.string()) else { throw .unsupported(Word.allCases.map(\.rawValue), at: json.path) }
        return word
    }
}
