import CRMCore
import HTTPShell
import Wire

/// Gives tokens for a code, or an access token for a refresh token. Contract: common, §3, "POST /oauth/v2/token".
enum IssueToken: Endpoint {
    static let declaration = Declaration(.post, "/oauth/v2/token", entry: "", scope: .anyone, bodyLimit: 65_536)

    struct Input: EndpointInput {
        let fields: FormFields
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { fields = FormFields(request) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let fields = input.fields
        guard let clientID = fields["client_id"] else { return .refused(.invalidClient) }
        switch try await context.clients.authenticate(clientID, secret: fields["client_secret"] ?? "") {
        case .unknownClient: return .refused(.invalidClient)
        case .wrongSecret: return .refused(.invalidClientSecret)
        case .accepted(let client): return try await issue(fields, client, context)
        }
    }

    private static func issue(_ fields: FormFields, _ client: Client, _ context: RequestContext) async throws -> Reply {
        switch fields["grant_type"] {
        case "authorization_code":
            guard let code = fields["code"] else { return .refused(.invalidCode) }
            let outcome = try await context.tokens.exchange(code: code, client: client, redirectURI: fields["redirect_uri"])
            return reply(outcome, context)
        case "refresh_token":
            guard let token = fields["refresh_token"] else { return .refused(.invalidCode) }
            return reply(try await context.tokens.refresh(token, client: client), context)
        default:
            return .refused(.unsupportedGrantType)
        }
    }

    private static func reply(_ outcome: TokenOutcome, _ context: RequestContext) -> Reply {
        switch outcome {
        case .issued(let tokens): .issued(tokens, context.baseURL)
        case .invalidCode: .refused(.invalidCode)
        case .invalidRedirect: .refused(.invalidRedirectURI)
        case .tooManyRequests: .tooManyTokens
        }
    }
}

/// Why the token endpoint gives nothing.
enum OAuthRefusal: String, Sendable {
    case invalidClient = "invalid_client"
    case invalidClientSecret = "invalid_client_secret"
    case invalidCode = "invalid_code"
    case invalidRedirectURI = "invalid_redirect_uri"
    case unsupportedGrantType = "unsupported_grant_type"
}

extension Reply {
    /// `api_domain` is our own origin: a name the SDK knows would send it to the vendor's hosts. No `expires_in_sec`: with
    /// it the SDK would read `expires_in` as milliseconds.
    fileprivate static func issued(_ tokens: IssuedTokens, _ origin: String) -> Reply {
        var members: [JSONValue.Member] = [.init("access_token", .string(tokens.access))]
        if let refresh = tokens.refresh { members.append(.init("refresh_token", .string(refresh))) }
        members += [
            .init("scope", .string(tokens.scopes.text)), .init("api_domain", .string(origin)), .init("token_type", "Bearer"),
            .init("expires_in", .integer(Int64(tokens.expiresInSeconds))),
        ]
        return unstored(.object(members))
    }

    /// Upstream's habit: 200 with the error inside.
    fileprivate static func refused(_ refusal: OAuthRefusal) -> Reply { unstored(["error": .string(refusal.rawValue)]) }

    fileprivate static var tooManyTokens: Reply {
        unstored([
            "error": "Access Denied",
            "error_description": "too many access tokens were asked for with this refresh token; wait some minutes",
            "status": "failure",
        ])
    }

    private static func unstored(_ value: JSONValue) -> Reply {
        var reply = Reply.json(value)
        reply.set("Cache-Control", "no-store")
        return reply
    }
}
