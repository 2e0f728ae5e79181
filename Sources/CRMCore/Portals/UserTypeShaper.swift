import Metadata
import SQLStore
import Wire

/// Makes, changes and deletes kinds of portal users. Contract: portals, 82, 84 and 85.
package struct UserTypeShaper {
    private let scope: MetadataScope
    private let portal: Portal

    package init(_ portal: RecordID, _ scope: MetadataScope) throws(Rejection) {
        guard let found = Portal.all(scope.catalog).first(where: { $0.id == portal }) else { throw .invalidPathID(0) }
        self.scope = scope
        self.portal = found
    }

    private var types: [PortalUserType] { PortalUserType.all(scope.catalog).filter { $0.portal == portal.id } }

    package func create(_ item: JSONCursor) throws -> RecordID {
        _ = try item.object()
        let name = try self.name(try Self.needed("name", item), except: nil)
        let personality = try self.personality(try Self.needed("personality_module", item))
        guard PortalUserType.all(scope.catalog).count < PortalUserType.limit else {
            throw Rejection(.licenseLimitExceeded, .jsonPath(item.path), .other("limit", .integer(PortalUserType.limit)))
        }
        let given = try Self.needed("modules", item)
        let modules = try UserTypeModules(personality, scope.catalog).read(given, over: [])
        let active = try Self.given("active", item)?.bool() ?? false
        let body: JSONValue = [
            "name": .string(name), "active": .bool(active), "default": .bool(types.isEmpty),
            "personality_module": ["api_name": .string(personality.apiName), "id": .string(String(personality.id.raw))],
            "modules": .array(modules), "created_time": scope.time, "modified_time": scope.time, "created_by": scope.actor,
            "modified_by": scope.actor,
        ]
        return try scope.add(.portalUserType, name, body, parent: portal.id)
    }

    package func update(_ id: RecordID, _ item: JSONCursor) throws -> RecordID {
        _ = try item.object()
        guard let type = types.first(where: { $0.id == id }) else { throw Rejection.invalidPathID(1) }
        var body = type.body
        if let given = Self.given("name", item) { body["name"] = .string(try name(given, except: type)) }
        if let given = Self.given("active", item) { body["active"] = .bool(try given.bool()) }
        guard var personality = scope.catalog.module(id: type.personality) else { throw Rejection(.notActivePersonalityModule) }
        if let given = Self.given("personality_module", item) {
            let other = try self.personality(given)
            if other.id != personality.id, try PortalUsers.count(of: id, scope.tx) > 0 { throw Rejection.notAllowed(at: given.path) }
            personality = other
            body["personality_module"] = ["api_name": .string(other.apiName), "id": .string(String(other.id.raw))]
        }
        let before = body["modules"]?.array ?? []
        let modules = UserTypeModules(personality, scope.catalog)
        let path = item.path.appending("modules")
        let given = Self.given("modules", item)
        if given != nil || personality.id != type.personality {
            body["modules"] = .array(try modules.read(given ?? JSONCursor([], at: path), over: before))
        }
        body["modified_time"] = scope.time
        body["modified_by"] = scope.actor
        try scope.replace(id, body: body)
        try scope.rename(id, body["name"]?.string)
        return id
    }

    /// A kind that somebody is of stays.
    package func delete(_ id: RecordID) throws {
        guard types.contains(where: { $0.id == id }) else { throw Rejection.invalidPathID(1) }
        guard try PortalUsers.count(of: id, scope.tx) == 0 else {
            throw Rejection(.invalidData, message: "the user type has users", .resourcePathIndex(1))
        }
        try PortalUsers.removeAll(of: id, scope.tx)
        try scope.remove([id])
    }

    private func name(_ given: JSONCursor, except own: PortalUserType?) throws(Rejection) -> String {
        let name = try given.string(max: 100)
        guard !name.isBlank else { throw Rejection(.requiredParamMissing, .apiName(given.name), .jsonPath(given.path)) }
        guard !types.contains(where: { $0.id != own?.id && $0.name.lowercased() == name.lowercased() }) else {
            throw .duplicate(at: given.path)
        }
        return name
    }

    private func personality(_ given: JSONCursor) throws(Rejection) -> Module {
        let module = try NamedModule.read(given, scope.catalog).whole
        guard PortalUserType.canBePersonality(module) else {
            throw Rejection(.notActivePersonalityModule, .apiName(given.name), .jsonPath(given.path))
        }
        return module
    }

    static func given(_ name: String, _ item: JSONCursor) -> JSONCursor? { item.optional(name).flatMap { $0.value.isNull ? nil : $0 } }

    /// A key that is absent is REQUIRED_PARAM_MISSING here (82).
    static func needed(_ name: String, _ item: JSONCursor) throws(Rejection) -> JSONCursor {
        guard let found = given(name, item) else {
            throw Rejection(.requiredParamMissing, .apiName(name), .jsonPath(item.path.appending(name)))
        }
        return found
    }
}
