import Metadata
import Wire

/// Who reports to whom, as one catalog has it.
package struct RoleTree: Sendable {
    private let below: [RecordID: [RecordID]]
    private let sharing: Set<RecordID>
    /// The role nobody is above, as others name it.
    package let top: JSONValue

    package init(_ catalog: Catalog) {
        let roles = catalog.documents(.role)
        below = Dictionary(
            grouping: roles.filter { $0.body["reporting_to"]?["id"] != nil },
            by: { RecordID(raw: $0.body["reporting_to"]?["id"]?.looseInt64 ?? 0) }
        )
        .mapValues { $0.map(\.id) }
        sharing = Set(roles.filter { $0.body["share_with_peers"]?.bool == true }.map(\.id))
        let first = roles.first { $0.body["reporting_to"]?.isNull != false }
        top = first.map { ["name": $0.body["name"] ?? .null, "id": .id($0.id)] } ?? .null
    }

    /// Everything below a role, itself not.
    package func subordinates(of role: RecordID) -> Set<RecordID> {
        var found: Set<RecordID> = []
        var open = below[role] ?? []
        while let next = open.popLast() {
            if found.insert(next).inserted { open += below[next] ?? [] }
        }
        return found
    }

    /// The roles whose people's records somebody of `role` sees: those below, and the role itself where peers share.
    package func visible(from role: RecordID) -> Set<RecordID> {
        sharing.contains(role) ? subordinates(of: role).union([role]) : subordinates(of: role).subtracting([role])
    }

    /// Gives the users of one role another, or its new name.
    package func move(from role: RecordID, to heir: RecordID, named name: JSONValue, _ scope: MetadataScope) throws {
        for user in scope.catalog.documents(.user) where user.body["role"]?["id"]?.looseInt64 == role.raw {
            var body = user.body
            body["role"] = ["name": name, "id": .id(heir)]
            try scope.replace(user.id, body: body)
        }
    }
}
