import CRMCore
import Wire

/// From an Authorization header to the grant behind it. Contract: common, §2.
struct Authenticator: Sendable {
    let tokens: TokenStore

    func grant(_ authorization: String?) async throws -> Grant {
        guard let token = Self.token(authorization) else { throw Rejection(.authenticationFailure) }
        guard let grant = try await tokens.grant(for: token) else { throw Rejection(.invalidToken) }
        return grant
    }

    /// The original's scheme is Zoho-oauthtoken; Bearer, which its token answers name, is taken as well.
    private static func token(_ authorization: String?) -> String? {
        guard let authorization, let blank = authorization.firstIndex(of: " ") else { return nil }
        let scheme = authorization[..<blank]
        let token = authorization[blank...].drop { $0 == " " }
        guard ASCIICase.equal(scheme, "zoho-oauthtoken") || ASCIICase.equal(scheme, "bearer"), !token.isEmpty, token.utf8.count <= 500
        else { return nil }
        return String(token)
    }
}
