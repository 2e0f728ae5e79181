import CRMCore
import HTTPShell
import Metadata
import Wire

/// The page to which an invitation leads; an extension of ours. Looking at it changes nothing.
enum ShowInvitation: Endpoint {
    static let declaration = Declaration(.get, "/invitation/{token}", entry: "", scope: .anyone)

    struct Input: EndpointInput {
        let token: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { token = request.path["token"] ?? "" }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let user = try await Invitations.guest(input.token, context.services) else { return InvitationPages.unknown }
        return InvitationPages.form(user)
    }
}

/// Takes the password that an invited user has chosen.
enum AcceptInvitation: Endpoint {
    static let declaration = Declaration(.post, "/invitation/{token}", entry: "", scope: .anyone, bodyLimit: 65_536)

    struct Input: EndpointInput {
        let token: String
        let password: String
        let again: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let fields = FormFields(request)
            token = request.path["token"] ?? ""
            password = fields["password"] ?? ""
            again = fields["again"] ?? ""
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let user = try await Invitations.guest(input.token, context.services) else { return InvitationPages.unknown }
        guard (8...200).contains(input.password.count) else {
            return InvitationPages.form(user, problem: "A password has 8 to 200 characters.")
        }
        guard input.password == input.again else { return InvitationPages.form(user, problem: "The two passwords differ.") }
        guard try await Invitations.accept(input.token, password: input.password, context.services) else { return InvitationPages.unknown }
        return InvitationPages.done
    }
}

private enum InvitationPages {
    static func form(_ user: User, problem: String? = nil) -> Reply {
        let warning: HTML = problem.map { "<p class=problem role=alert>\($0)</p>" } ?? ""
        return PublicPage.reply(
            "Invitation",
            """
            <h1>Welcome, \(user.fullName)</h1><p>Choose the password with which you, \(user.email), will sign in.</p>\(warning)
            <form method=post><input type=hidden name=email value="\(user.email)" autocomplete=username>
            <label>Password <input name=password type=password autocomplete=new-password minlength=8 required autofocus></label>
            <label>Once more <input name=again type=password autocomplete=new-password minlength=8 required></label>
            <button>Set password</button></form>
            """, status: problem == nil ? 200 : 400)
    }

    static var done: Reply {
        PublicPage.reply("Welcome", "<h1>Your password is set</h1><p>You can sign in with it from now on.</p>")
    }

    static var unknown: Reply {
        PublicPage.reply(
            "Invitation", "<h1>This invitation is not valid</h1><p>It has been used, replaced or is too old. Ask for another.</p>",
            status: 404)
    }
}

/// Invitations; an extension of ours.
let invitationEndpoints: [any Endpoint.Type] = [ShowInvitation.self, AcceptInvitation.self]
