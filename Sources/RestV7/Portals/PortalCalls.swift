import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the calls about portals share.
enum PortalCall {
    static func scope(_ operation: String) -> ScopeRule { .fixed(["ZohoCRM.settings.clientportal.\(operation)"]) }

    static func requireManager(_ context: RequestContext) throws(Rejection) {
        try context.access.require(permission: SettingsPermission.portals)
    }

    static func requireUserManager(_ context: RequestContext) throws(Rejection) {
        try context.access.require(permission: SettingsPermission.portalUsers)
    }

    /// The portal of the path.
    static func portal(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> Portal {
        guard let portal = Portal.named(request.path["portal_name"] ?? "", context.catalog) else {
            throw Rejection(.invalidData, message: "the portal name given seems to be invalid", .resourcePathIndex(0))
        }
        return portal
    }

    /// The user type of the path.
    static func type(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> PortalUserType {
        let portal = try portal(request, context)
        let id = try request.recordID("user_type_id", index: 1)
        guard let type = PortalUserType.find(id, context.catalog), type.portal == portal.id else { throw .invalidPathID(1) }
        return type
    }
}

/// The portals. Contract: portals, 81.
enum ListPortals: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/settings/portals", entry: "81", scope: PortalCall.scope("READ"))

    struct Input: EndpointInput {
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { try PortalCall.requireManager(context) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let portals = Portal.all(context.catalog)
        return portals.isEmpty ? .nothing : .json(["portals": .array(portals.map(\.body))])
    }
}

/// One portal. Contract: portals, 81.
enum GetPortal: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/settings/portals/{portal_name}", entry: "81", scope: PortalCall.scope("READ"))

    struct Input: EndpointInput {
        let portal: Portal?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try PortalCall.requireManager(context)
            portal = Portal.named(request.path["portal_name"] ?? "", context.catalog)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        input.portal.map { .json(["portals": [$0.body]]) } ?? .nothing
    }
}

/// Makes a portal. Contract: portals, 79.
enum CreatePortal: Endpoint {
    static let declaration = Declaration(.post, "/crm/v7/settings/portals", entry: "79", scope: PortalCall.scope("CREATE"))

    struct Input: EndpointInput {
        let item: JSONCursor
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try PortalCall.requireManager(context)
            item = try request.json().items("portals", limit: 1)[0]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.services.changeMetadata(by: context.access.user) { scope in
            try scope.each([input.item]) { try PortalShaper(scope).create($0) }
        }
        return .items(
            "portals", results.map { $0.map { .success("Portal created successfully with given name.", details: ["name": .string($0)]) } })
    }
}

/// Renames a portal. Contract: portals, 80.
enum RenamePortal: Endpoint {
    static let declaration = Declaration(.put, "/crm/v7/settings/portals/{portal_name}", entry: "80", scope: PortalCall.scope("UPDATE"))

    struct Input: EndpointInput {
        let portal: Portal
        let item: JSONCursor
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try PortalCall.requireManager(context)
            portal = try PortalCall.portal(request, context)
            item = try request.json().items("portals", limit: 1)[0]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.services.changeMetadata(by: context.access.user) { scope in
            try scope.each([input.item]) { item in
                guard let portal = Portal.all(scope.catalog).first(where: { $0.id == input.portal.id }) else { throw Rejection.unknownItem }
                return try PortalShaper(scope).rename(portal, item)
            }
        }
        return .items(
            "portals", results.map { $0.map { .success("Portal renamed successfully with given name.", details: ["name": .string($0)]) } })
    }
}
