import CRMCore
import HTTPShell
import Metadata
import Wire

/// Takes what a person enters on the sign-in and consent pages. Contract: common, §3, "GET /oauth/v2/auth".
enum AnswerAuthorization: Endpoint {
    static let declaration = Declaration(.post, "/oauth/v2/auth", entry: "", scope: .anyone, bodyLimit: 65_536)

    struct Input: EndpointInput {
        enum Step: Sendable {
            case signIn(email: String, password: String)
            case allow
            case deny
            case signOut
        }

        let request: AuthorizationRequest
        let step: Step
        let seal: String?
        let session: String?
        let visitor: String?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let fields = FormFields(request)
            self.request = AuthorizationRequest(fields)
            switch fields["step"] {
            case "allow": step = .allow
            case "sign_out": step = .signOut
            case "sign_in": step = .signIn(email: fields["email"] ?? "", password: fields["password"] ?? "")
            default: step = .deny
            }
            seal = fields["seal"]
            session = request.cookie(FormSeal.sessionCookie)
            visitor = request.cookie(FormSeal.visitorCookie)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await input.request.answered(context) { client, scopes in
            switch input.step {
            case .signIn(let email, let password): return try await signIn(input, client, email, password, context)
            case .allow: return try await consent(input, context) { user in try await allow(input.request, client, scopes, user, context) }
            case .deny: return try await consent(input, context) { _ in input.request.redirect([("error", "access_denied")]) }
            case .signOut: return try await consent(input, context) { _ in try await signOut(input, context) }
            }
        }
    }

    private static func signIn(
        _ input: Input, _ client: Client, _ email: String, _ password: String, _ context: RequestContext
    ) async throws -> Reply {
        guard FormSeal.fits(input.seal, input.visitor) else { return AuthorizationPages.stale }
        let user = context.catalog.users.first { $0.active && $0.email.lowercased() == email.lowercased() }
        switch try await context.credentials.verify(password, of: user?.id) {
        case .accepted:
            guard let user else { return AuthorizationPages.stale }
            var reply = Reply.redirect(to: input.request.link)
            let session = try await context.tokens.startSession(of: user.id)
            let life = context.tokens.limits.sessionSeconds
            // Lax: the client's link to our page is a visit from another site, and should find the session.
            reply.headers.append(FormSeal.cookie(FormSeal.sessionCookie, session, seconds: life, sameSite: "Lax", context))
            return reply
        case .refused:
            return AuthorizationPages.signIn(
                input.request, client, visitor: input.visitor, context, problem: "Wrong e-mail address or password.")
        case .resting:
            let problem = "Too many wrong passwords. Try again in a quarter of an hour."
            return AuthorizationPages.signIn(input.request, client, visitor: input.visitor, context, problem: problem)
        }
    }

    private static func consent(_ input: Input, _ context: RequestContext, _ answer: (User) async throws -> Reply) async throws -> Reply {
        guard let session = input.session, FormSeal.fits(input.seal, session), let user = try await context.signedIn(session) else {
            return AuthorizationPages.stale
        }
        return try await answer(user)
    }

    private static func allow(
        _ request: AuthorizationRequest, _ client: Client, _ scopes: ScopeSet, _ user: User, _ context: RequestContext
    ) async throws -> Reply {
        let code = try await context.tokens.issueCode(
            client: client, user: user.id, scopes: scopes, redirectURI: request.redirectURI, offline: request.offline)
        // One data centre, so any of the known location codes will do.
        return request.redirect([("code", code), ("location", "us"), ("accounts-server", context.baseURL)])
    }

    private static func signOut(_ input: Input, _ context: RequestContext) async throws -> Reply {
        if let session = input.session { try await context.tokens.endSession(session) }
        var reply = Reply.redirect(to: input.request.link)
        reply.headers.append(FormSeal.cookie(FormSeal.sessionCookie, "", seconds: 0, sameSite: "Lax", context))
        return reply
    }
}
