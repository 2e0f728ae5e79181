import CRMCore
import HTTPShell
import Metadata
import Wire

/// Asks a person, signed in or about to be, whether a client may act for them. Contract: common, §3, "GET /oauth/v2/auth".
enum AskAuthorization: Endpoint {
    static let declaration = Declaration(.get, "/oauth/v2/auth", entry: "", scope: .anyone)

    struct Input: EndpointInput {
        let request: AuthorizationRequest
        let session: String?
        let visitor: String?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            self.request = AuthorizationRequest(FormFields(request))
            session = request.cookie(FormSeal.sessionCookie)
            visitor = request.cookie(FormSeal.visitorCookie)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await input.request.answered(context) { client, scopes in
            if let session = input.session, let user = try await context.signedIn(session) {
                return AuthorizationPages.consent(input.request, client, scopes, user, seal: FormSeal.of(session))
            }
            return AuthorizationPages.signIn(input.request, client, visitor: input.visitor, context)
        }
    }
}

extension AuthorizationRequest {
    /// The answer of `valid` when the request is; otherwise a page that says what is wrong, or the way back to the client with it.
    func answered(_ context: RequestContext, _ valid: (Client, ScopeSet) async throws -> Reply) async throws -> Reply {
        switch try await CheckedAuthorization.check(self, context) {
        case .page(let problem): AuthorizationPages.problem(problem)
        case .refused(let error): redirect([("error", error)])
        case .valid(let client, let scopes): try await valid(client, scopes)
        }
    }
}

extension RequestContext {
    /// The active user behind a session cookie.
    func signedIn(_ session: String) async throws -> User? {
        guard let id = try await tokens.user(ofSession: session), let user = catalog.user(id), user.active else { return nil }
        return user
    }
}
