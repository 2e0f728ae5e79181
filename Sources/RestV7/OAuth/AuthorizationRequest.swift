import CRMCore
import HTTPShell
import Wire

/// What a client asks a person to allow, as its link says it.
struct AuthorizationRequest: Sendable {
    let clientID: String
    let redirectURI: String
    let responseType: String
    let scope: String
    let offline: Bool
    let state: String?

    init(_ fields: FormFields) {
        clientID = fields["client_id"] ?? ""
        redirectURI = fields["redirect_uri"] ?? ""
        responseType = fields["response_type"] ?? ""
        scope = fields["scope"] ?? ""
        offline = fields["access_type"] == "offline"
        state = fields["state"]
    }

    /// The fields again, for links and hidden inputs.
    var fields: [(name: String, value: String)] {
        var fields = [
            ("response_type", responseType), ("client_id", clientID), ("scope", scope), ("redirect_uri", redirectURI),
            ("access_type", offline ? "offline" : "online"),
        ]
        if let state { fields.append(("state", state)) }
        return fields.map { (name: $0.0, value: $0.1) }
    }

    /// Our own page that asks.
    var link: String { "/oauth/v2/auth?" + Self.query(fields) }

    /// The client's address with an answer. Only ever called with a redirect that is registered.
    func redirect(_ answer: [(name: String, value: String)]) -> Reply {
        let all = answer + (state.map { [(name: "state", value: $0)] } ?? [])
        return .redirect(to: redirectURI + (redirectURI.contains("?") ? "&" : "?") + Self.query(all))
    }

    private static func query(_ fields: [(name: String, value: String)]) -> String {
        fields.map { "\($0.name)=\(PercentCoding.encode($0.value))" }.joined(separator: "&")
    }
}

/// An authorization request after its checks.
enum CheckedAuthorization: Sendable {
    /// Shown to the person: the redirect cannot be trusted.
    case page(String)
    /// Told to the client by redirect.
    case refused(String)
    case valid(Client, ScopeSet)

    /// A client or redirect that is not registered must never lead to a redirect (RFC 6749, 4.1.2.1).
    static func check(_ request: AuthorizationRequest, _ context: RequestContext) async throws -> CheckedAuthorization {
        guard let client = try await context.clients.find(request.clientID) else {
            return .page("The link names a client that is not registered here (invalid_client).")
        }
        guard client.redirectURIs.contains(request.redirectURI) else {
            return .page("The link leads back to an address that is not registered for this client (invalid_redirect_uri).")
        }
        guard request.responseType == "code" else { return .refused("unsupported_response_type") }
        guard let scopes = ScopeSet(request.scope), scopes.scopes.allSatisfy(\.isKnown) else { return .refused("invalid_scope") }
        return .valid(client, scopes)
    }
}
