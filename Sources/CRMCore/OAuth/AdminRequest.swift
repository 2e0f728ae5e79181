import Wire

/// Something an administrator asks for on the command line; one line of JSON when it travels to a running server.
package enum AdminRequest: Sendable, Equatable {
    case createClient(name: String, redirectURIs: [String])
    /// A self-client's code, to be exchanged at the token endpoint within some minutes.
    case grant(clientID: String, scope: String, user: String?, minutes: Int)
    /// An access token for scripts, without a client of its own.
    case token(scope: String, user: String?, minutes: Int)
    /// Sets the password, or makes one up and tells it.
    case password(email: String, password: String?)

    package var json: JSONValue {
        switch self {
        case .createClient(let name, let uris):
            ["command": "client create", "name": .string(name), "redirect_uris": .array(uris.map { .string($0) })]
        case .grant(let clientID, let scope, let user, let minutes):
            [
                "command": "grant", "client": .string(clientID), "scope": .string(scope), "user": .optional(user),
                "minutes": .integer(Int64(minutes)),
            ]
        case .token(let scope, let user, let minutes):
            ["command": "token", "scope": .string(scope), "user": .optional(user), "minutes": .integer(Int64(minutes))]
        case .password(let email, let password):
            ["command": "user password", "email": .string(email), "password": .optional(password)]
        }
    }

    package init?(_ json: JSONValue) {
        let minutes = json["minutes"]?.int64.map { Int(clamping: $0) }
        switch json["command"]?.string {
        case "client create":
            guard let name = json["name"]?.string, let uris = json["redirect_uris"]?.array else { return nil }
            self = .createClient(name: name, redirectURIs: uris.compactMap(\.string))
        case "grant":
            guard let client = json["client"]?.string, let scope = json["scope"]?.string, let minutes else { return nil }
            self = .grant(clientID: client, scope: scope, user: json["user"]?.string, minutes: minutes)
        case "token":
            guard let scope = json["scope"]?.string, let minutes else { return nil }
            self = .token(scope: scope, user: json["user"]?.string, minutes: minutes)
        case "user password":
            guard let email = json["email"]?.string else { return nil }
            self = .password(email: email, password: json["password"]?.string)
        default:
            return nil
        }
    }
}

extension JSONValue {
    fileprivate static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
}

/// Why an administrator's request was not carried out, in words for that person.
package struct AdminFailure: Error, Sendable, Equatable {
    package let message: String
    package init(_ message: String) { self.message = message }
}
