import CRMCore
import HTTPShell
import Wire

/// The page behind the link of an invitation. An extension of ours: the original's portals live elsewhere.
struct PortalInvitationLink: EndpointInput {
    let portal: String
    let secret: String

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        portal = request.path["portal_name"] ?? ""
        secret = request.path["secret"] ?? ""
    }
}

enum ShowPortalInvitation: Endpoint {
    static let declaration = Declaration(.get, "/portals/{portal_name}/invitations/{secret}", entry: "", scope: .anyone)

    static func respond(_ input: PortalInvitationLink, _ context: RequestContext) async throws -> Reply {
        let open = try await PortalInvitation.open(input.secret, portal: input.portal, context.services, context.catalog)
        guard let open else { return PortalInvitationPages.gone }
        if open.isAccepted { return PortalInvitationPages.accepted }
        return PortalInvitationPages.page(
            "Invitation",
            """
            <h1>You are invited</h1><p>to the portal <b>\(open.portal)</b> of \(open.organization).</p>
            <form method=post><button>Accept</button></form>
            """)
    }
}

enum AcceptPortalInvitation: Endpoint {
    static let declaration = Declaration(.post, "/portals/{portal_name}/invitations/{secret}", entry: "", scope: .anyone)

    static func respond(_ input: PortalInvitationLink, _ context: RequestContext) async throws -> Reply {
        let isDone = try await PortalInvitation.accept(input.secret, portal: input.portal, context.services, context.catalog)
        return isDone ? PortalInvitationPages.accepted : PortalInvitationPages.gone
    }
}

private enum PortalInvitationPages {
    static var gone: Reply {
        page(
            "No invitation", "<h1>There is no such invitation</h1><p>It may be too old. Ask whoever sent it for another one.</p>",
            status: 404)
    }

    static var accepted: Reply { page("Accepted", "<h1>Thank you</h1><p>You have accepted the invitation.</p>") }

    static func page(_ title: String, _ content: HTML, status: Int = 200) -> Reply {
        .page("<!doctype html><html lang=en><meta charset=utf-8><title>\(title)</title><body>\(content)</body></html>", status: status)
    }
}
