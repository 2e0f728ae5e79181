import CRMCore
import HTTPShell
import Wire

/// Ends a token. Whoever holds it may. Contract: common, §3, "POST /oauth/v2/token/revoke".
enum RevokeToken: Endpoint {
    static let declaration = Declaration(.post, "/oauth/v2/token/revoke", entry: "", scope: .anyone, bodyLimit: 65_536)

    struct Input: EndpointInput {
        let token: String?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { token = FormFields(request)["token"] }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let token = input.token, try await context.tokens.revoke(token) else {
            return .json(["error": "invalid_token"], status: 400)
        }
        return .json(["status": "success"])
    }
}
