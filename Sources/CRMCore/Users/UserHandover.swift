import Metadata
import SQLStore
import Wire

/// A user goes, and others take what was theirs. Contract: users, 122.
package struct UserHandover: Sendable {
    package let user: UserID
    /// Who takes over, and what of it.
    package let heir: UserID?
    package let records: Bool
    package let assignments: Bool
    package let criteria: Bool
    /// Whom subordinates report to from now on.
    package let superior: UserID?

    package init(_ user: UserID, heir: UserID?, records: Bool, assignments: Bool, criteria: Bool, superior: UserID?) {
        self.user = user
        self.heir = heir
        self.records = records
        self.assignments = assignments
        self.criteria = criteria
        self.superior = superior
    }

    /// Deletes the user and hands over what settings hold; the records follow by the job that is returned.
    package func run(_ scope: MetadataScope) throws -> RecordID {
        guard let leaving = scope.catalog.user(user) else { throw Rejection(.invalidData) }
        try UserShaper(scope).delete(leaving, heir: heir, superior: superior)
        if let heir { try handOver(to: heir, scope) }
        return try UserTransferJob.schedule(user, to: records ? heir : nil, by: scope.user, scope)
    }

    private func handOver(to heir: UserID, _ scope: MetadataScope) throws {
        // What changes above is read again; a territory is changed by both.
        try scope.reload()
        let replacement = SettingsReplacement(user, with: heir, scope.catalog)
        for document in scope.catalog.everyDocument where !Self.untouched.contains(document.kind) {
            var body = document.body
            if assignments { body = replacement.assignments(in: body) }
            if criteria { body = replacement.criteria(in: body) }
            if document.kind == .userGroup { body["sources"] = replacement.members(of: body["sources"]) }
            if document.kind == .assignmentRule, assignments { body = PeopleSources.changed(body, replacement.members) }
            if body != document.body { try scope.replace(document.id, body: body) }
        }
    }

    private static let untouched: Set<Document.Kind> = [.user, .module, .field, .defaults, .retired, .org]
}

/// Puts one user in another's place inside settings.
private struct SettingsReplacement {
    private let old: JSONValue
    private let new: JSONValue
    private let reference: JSONValue

    /// Where settings name who gets work.
    private static let assignees: Set<String> = ["default_assignee", "assign_to", "assignee", "assigned_to", "forecast_manager", "manager"]

    init(_ old: UserID, with new: UserID, _ catalog: Catalog) {
        self.old = .string(String(old.raw))
        self.new = .string(String(new.raw))
        reference = ["name": .string(catalog.user(new)?.fullName ?? ""), "id": .string(String(new.raw))]
    }

    /// Ids inside anything called criteria.
    func criteria(in body: JSONValue) -> JSONValue { walk(body, where: { name, _ in name.hasSuffix("criteria") }, everywhere) }

    func assignments(in body: JSONValue) -> JSONValue {
        walk(body, where: { name, value in Self.assignees.contains(name) && value["id"] == old }, { _ in reference })
    }

    /// The sources of a user group, or of an entry of an assignment rule.
    func members(of given: JSONValue?) -> JSONValue {
        var sources = given?.array ?? []
        let isUser = { (source: JSONValue, id: JSONValue) in source["type"] == "users" && source["id"] == id }
        guard sources.contains(where: { isUser($0, old) }) else { return .array(sources) }
        if sources.contains(where: { isUser($0, new) }) {
            sources.removeAll { isUser($0, old) }
        } else {
            for index in sources.indices where isUser(sources[index], old) { sources[index]["id"] = new }
        }
        return .array(sources)
    }

    private func everywhere(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string: value == old ? new : value
        case .array(let elements): .array(elements.map(everywhere))
        case .object(let members): value["id"] == old ? reference : .object(members.map { .init($0.name, everywhere($0.value)) })
        case .null, .bool, .number: value
        }
    }

    /// The value with every member that is meant, at any depth, changed.
    private func walk(_ value: JSONValue, where isMeant: (String, JSONValue) -> Bool, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): .array(elements.map { walk($0, where: isMeant, change) })
        case .object(let members):
            .object(
                members.map { member in
                    let meant = isMeant(member.name, member.value)
                    return .init(member.name, meant ? change(member.value) : walk(member.value, where: isMeant, change))
                })
        case .null, .bool, .number, .string: value
        }
    }
}
