import Metadata
import SQLStore
import Wire

/// Makes and renames portals. Contract: portals, 79 and 80.
package struct PortalShaper {
    /// The contract gives no number.
    private static let limit = 10
    private let scope: MetadataScope

    package init(_ scope: MetadataScope) { self.scope = scope }

    package func create(_ item: JSONCursor) throws -> String {
        let name = try name(item, except: nil)
        guard scope.catalog.documents(.portal).count < Self.limit else {
            throw Rejection(.licenseLimitExceeded, .jsonPath(item.path), .other("limit", .integer(Self.limit)))
        }
        let id = scope.ids.next()
        let body: JSONValue = [
            "name": .string(name), "active": true, "zaid": .id(id), "created_time": scope.time, "modified_time": scope.time,
            "created_by": scope.actor, "modified_by": scope.actor,
        ]
        try scope.add(.portal, name, body, id: id)
        return name
    }

    package func rename(_ portal: Portal, _ item: JSONCursor) throws -> String {
        let name = try name(item, except: portal)
        var body = portal.body
        body["name"] = .string(name)
        body["modified_time"] = scope.time
        body["modified_by"] = scope.actor
        try scope.replace(portal.id, body: body)
        try scope.rename(portal.id, name)
        return name
    }

    /// Letters and digits: the name stands in addresses.
    private func name(_ item: JSONCursor, except own: Portal?) throws(Rejection) -> String {
        let given = try item.required("name")
        let name = try given.string(max: 50, min: 1)
        guard name.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }) else {
            throw Rejection(.patternNotMatched, .apiName(given.name), .jsonPath(given.path), .other("regex", "^[A-Za-z0-9]+$"))
        }
        if let taken = Portal.named(name, scope.catalog), taken.id != own?.id {
            throw Rejection(.alreadyUsed, .apiName(given.name), .jsonPath(given.path))
        }
        return name
    }
}
