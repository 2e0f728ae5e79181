import Metadata
import SQLStore
import Wire

/// The roles a contact may have in a deal, in their order. Contract: contact-roles, 187 to 190.
package struct ContactRoles: Sendable {
    package struct Role: Sendable, Equatable {
        package let id: RecordID
        package var name: String
    }

    /// What a caller says of a role.
    package struct Draft: Sendable {
        package let id: RecordID?
        package let name: String?
        package let position: Int?
        package let path: JSONPath

        package init(id: RecordID?, name: String?, position: Int?, path: JSONPath) {
            self.id = id
            self.name = name
            self.position = position
            self.path = path
        }
    }

    package static let limit = 100

    package private(set) var roles: [Role]

    package init(_ catalog: Catalog) {
        let documents = catalog.documents(.contactRole).sorted {
            ($0.body["sequence_number"]?.int64 ?? 0, $0.id) < ($1.body["sequence_number"]?.int64 ?? 0, $1.id)
        }
        roles = documents.map { Role(id: $0.id, name: $0.body["name"]?.string ?? "") }
    }

    /// How a deal's list shows a role.
    package var labels: [(id: Int64, shown: JSONValue)] { roles.map { ($0.id.raw, ["name": .string($0.name), "id": .id($0.id)]) } }

    package func role(_ id: RecordID) -> Role? { roles.first { $0.id == id } }
    package func role(named name: String) -> Role? { roles.first { TagDirectory.same($0.name, name) } }

    mutating func add(_ draft: Draft, id: RecordID) throws(Rejection) {
        guard roles.count < Self.limit else {
            throw Rejection(.limitExceeded, .jsonPath(draft.path), .other("limit", .integer(Self.limit)))
        }
        let name = draft.name ?? ""
        guard role(named: name) == nil else { throw .duplicate(at: draft.path.appending("name")) }
        roles.insert(Role(id: id, name: name), at: try place(draft, among: roles.count + 1) ?? roles.count)
    }

    mutating func change(_ draft: Draft) throws(Rejection) {
        guard let index = roles.firstIndex(where: { $0.id == draft.id }) else { throw .unknownRecord(at: draft.path.appending("id")) }
        var changed = roles[index]
        if let name = draft.name {
            if let holder = role(named: name), holder.id != changed.id { throw .duplicate(at: draft.path.appending("name")) }
            changed.name = name
        }
        let place = try place(draft, among: roles.count) ?? index
        roles.remove(at: index)
        roles.insert(changed, at: place)
    }

    mutating func remove(_ id: RecordID) throws(Rejection) {
        guard let index = roles.firstIndex(where: { $0.id == id }) else {
            throw Rejection(.invalidData, message: "the id given seems to be invalid", .id(id))
        }
        roles.remove(at: index)
    }

    private func place(_ draft: Draft, among count: Int) throws(Rejection) -> Int? {
        guard let position = draft.position else { return nil }
        guard (1...count).contains(position) else { throw .invalid(at: draft.path.appending("sequence_number")) }
        return position - 1
    }
}

extension Services {
    /// Changes the roles one item after another and keeps what became of them. Deals keep their contacts; a role that is
    /// gone reads as none.
    private func changeContactRoles<Item: Sendable>(
        _ items: [Item], _ change: @Sendable @escaping (inout ContactRoles, Item, any IDSource) throws(Rejection) -> RecordID
    ) async throws -> [Result<RecordID, Rejection>] {
        try await changeMetadata { scope in
            let before = ContactRoles(scope.catalog)
            var after = before
            let outcomes = items.map { item in Result { () throws(Rejection) in try change(&after, item, scope.ids) } }
            try after.save(from: before, scope)
            return outcomes
        }
    }

    package func addContactRoles(_ drafts: [ContactRoles.Draft]) async throws -> [Result<RecordID, Rejection>] {
        try await changeContactRoles(drafts) { roles, draft, ids throws(Rejection) in
            let id = ids.next()
            try roles.add(draft, id: id)
            return id
        }
    }

    package func changeContactRoles(_ drafts: [ContactRoles.Draft]) async throws -> [Result<RecordID, Rejection>] {
        try await changeContactRoles(drafts) { roles, draft, _ throws(Rejection) in
            try roles.change(draft)
            return draft.id ?? RecordID(raw: 0)
        }
    }

    package func removeContactRoles(_ ids: [RecordID]) async throws -> [Result<RecordID, Rejection>] {
        try await changeContactRoles(ids) { roles, id, _ throws(Rejection) in
            try roles.remove(id)
            return id
        }
    }
}

extension ContactRoles {
    /// Writes what differs; there are at most a hundred.
    fileprivate func save(from before: ContactRoles, _ scope: MetadataScope) throws {
        var old = Dictionary(before.roles.enumerated().map { ($1.id, ($0, $1)) }, uniquingKeysWith: { first, _ in first })
        for (index, role) in roles.enumerated() {
            let body: JSONValue = ["name": .string(role.name), "sequence_number": .integer(index + 1)]
            if let (position, known) = old.removeValue(forKey: role.id) {
                if position != index || known != role { try scope.replace(role.id, body: body) }
            } else {
                try scope.add(
                    [Document(id: role.id, kind: .contactRole, apiName: role.name, body: body)])
            }
        }
        try scope.remove(Array(old.keys))
    }
}
