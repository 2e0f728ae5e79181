import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the calls that invite share.
private enum PortalInvitationInput {
    static func module(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> Module {
        try PortalCall.requireUserManager(context)
        return try request.writtenModule(context)
    }
}

/// Invites one record. Contract: portals, 86.
enum InvitePortalUser: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/portal_invite", entry: "86", scope: PortalCall.scope("CREATE"),
        support: .partial("mails in the language asked for: all are in English"))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID
        let invitation: PortalInvitation

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let module = try PortalInvitationInput.module(request, context)
            id = try request.recordID()
            guard let typeText = request.query("user_type_id"), !typeText.isEmpty else { throw .missingParameter("user_type_id") }
            guard let kindText = request.query("type"), !kindText.isEmpty else { throw .missingParameter("type") }
            guard let kind = PortalInvitation.Kind(rawValue: kindText) else {
                throw Rejection(.invalidData, .parameter("type"), .supportedValues(PortalInvitation.Kind.allCases.map(\.rawValue)))
            }
            let language = request.query("language").flatMap { $0.isEmpty ? nil : $0 } ?? "en_US"
            guard PortalInvitation.languages.contains(language) else {
                throw Rejection(.invalidData, .parameter("language"), .supportedValues(PortalInvitation.languages))
            }
            guard let type = RecordID(typeText).flatMap({ PortalInvitation.type($0, for: module.id, context.catalog) }) else {
                throw .invalidParameter("user_type_id")
            }
            self.module = module
            invitation = PortalInvitation(kind, as: type, language: language, origin: context.homeURL)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        do {
            try await context.services.write(context.catalog, context.access, .api) { scope in
                try input.invitation.send(to: input.id, of: input.module, scope)
            }
            return .items("portal_invite", [.success(.success(PortalInviteJob.message, details: ["record_id": .id(input.id)]))])
        } catch let rejection as Rejection where rejection.code != .noPermission {
            return .wrapped("portal_invite", rejection)
        }
    }
}

/// Invites many, by a job. Contract: portals, 87.
enum InvitePortalUsers: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/actions/portal_invite", entry: "87", scope: PortalCall.scope("CREATE"),
        support: .partial("mails in the language asked for: all are in English"))

    struct Input: EndpointInput {
        let module: Module
        let items: [PortalInviteJob.Item]

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try PortalInvitationInput.module(request, context)
            let data = try request.json().items("portal_invite", limit: 1)[0].items("data", limit: PortalInviteJob.limit)
            var items: [PortalInviteJob.Item] = []
            for item in data { items.append(try Self.item(item, module, context)) }
            self.items = items
        }

        private static func item(_ item: JSONCursor, _ module: Module, _ context: RequestContext) throws(Rejection) -> PortalInviteJob.Item
        {
            let record = try item.required("id").recordID()
            let type = try item.required("user_type_id")
            let id = try type.recordID()
            guard PortalInvitation.type(id, for: module.id, context.catalog) != nil else { throw .invalid(at: type.path) }
            let kind = try item.required("type")
            guard let known = PortalInvitation.Kind(rawValue: try kind.string()) else {
                throw .unsupported(PortalInvitation.Kind.allCases.map(\.rawValue), at: kind.path)
            }
            let language = item.optional("language").flatMap { $0.value.isNull ? nil : $0 }
            let spoken = try language?.string() ?? "en_US"
            if let language, !PortalInvitation.languages.contains(spoken) {
                throw .unsupported(PortalInvitation.languages, at: language.path)
            }
            return PortalInviteJob.Item(record: record, type: id, kind: known, language: spoken)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let job = try await context.services.write(context.catalog, context.access, .api) { scope in
            try PortalInviteJob.schedule(input.items, of: input.module, origin: context.homeURL, scope)
        }
        let result = JSONValue.success("portal invitations scheduled", code: "SCHEDULED", details: ["job_id": .id(job)])
        return .items("portal_invite", [.success(result)])
    }
}

/// How far such jobs have come. Contract: portals, 88.
enum GetPortalInvites: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/actions/portal_invite", entry: "88", scope: PortalCall.scope("READ"))

    struct Input: EndpointInput {
        let module: Module
        /// `nil` for all; what is no id names none.
        let job: RecordID?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try PortalInvitationInput.module(request, context)
            let text = request.query("job_id").flatMap { $0.isEmpty ? nil : $0 }
            job = text.map { RecordID($0) ?? RecordID(raw: 0) }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let jobs = try await PortalInviteJob.list(of: input.module, by: context.access.user, only: input.job, context.services)
        guard !jobs.isEmpty else { return .nothing }
        let shown = jobs.map { job -> JSONValue in
            [
                "job_id": .id(job.job), "status": job.results == nil ? "in_progress" : "completed",
                "data": job.results.map(JSONValue.array) ?? .null,
            ]
        }
        return .json(["portal_invite": .array(shown)])
    }
}
