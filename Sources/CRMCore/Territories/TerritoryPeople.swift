import Metadata
import Wire

/// Who stands in which territory: people come and go, the manager by the territory itself.
package enum TerritoryPeople {
    /// How many people a territory may have, its manager among them.
    package static let most = 1_000

    /// Refuses who is there already, and who is not active.
    package static func add(_ user: UserID, to territory: Territory, at path: JSONPath, _ scope: MetadataScope) throws {
        guard let found = scope.catalog.user(user), found.active else { throw Rejection.invalid(at: path) }
        if territory.people.contains(user) { throw Rejection.duplicate(at: path) }
        if territory.people.count >= most {
            throw Rejection(.limitExceeded, .apiName("id"), .jsonPath(path), .other("limit", .integer(most)))
        }
        try write(territory.members + [user], territory, scope)
    }

    /// Refuses who is not there. The manager stays: another one has to be named first.
    package static func remove(_ user: UserID, from territory: Territory, or refusal: Rejection, _ scope: MetadataScope) throws {
        guard territory.members.contains(user) else { throw refusal }
        try write(territory.members.filter { $0 != user }, territory, scope)
    }

    /// Puts `heir`, if there is one, in a user's place wherever that user is manager or member.
    static func replace(_ user: UserID, with heir: UserID?, _ scope: MetadataScope) throws {
        for territory in scope.catalog.territories.of(user) {
            var body = territory.body
            if territory.manager == user { body["manager"] = heir.map { ["id": .string(String($0.raw))] } ?? .null }
            var members = territory.members.filter { $0 != user }
            if let heir, territory.manager != user, territory.manager != heir, !members.contains(heir) { members.append(heir) }
            body["users"] = ids(members)
            try scope.replace(territory.id, body: body)
        }
    }

    private static func write(_ members: [UserID], _ territory: Territory, _ scope: MetadataScope) throws {
        var body = territory.body
        body["users"] = ids(members)
        try scope.replace(territory.id, body: body)
    }

    private static func ids(_ users: [UserID]) -> JSONValue { .array(users.map { .string(String($0.raw)) }) }
}
