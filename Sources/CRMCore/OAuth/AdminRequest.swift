import Wire

/// Something an administrator asks for on the command line; one line of JSON when it travels to a running server.
package enum AdminRequest: Sendable, Equatable {
    case createClient(name: String, redirectURIs: [String])
    case listClients
    /// Takes the client away, with every token it has.
    case deleteClient(clientID: String)
    /// The jobs that wait or run, or all that are still known.
    case jobs(all: Bool)
    /// A self-client's code, to be exchanged at the token endpoint within some minutes.
    case grant(clientID: String, scope: String, user: String?, minutes: Int)
    /// An access token for scripts, without a client of its own.
    case token(scope: String, user: String?, minutes: Int)
    /// Sets the password, or makes one up and tells it.
    case password(email: String, password: String?)
    /// Merges a group of records by a survivorship policy, or tells what would happen.
    case merge(module: String, ids: [String], master: String?, policy: JSONValue, dryRun: Bool, user: String?)
    /// Takes a merge back.
    case unmerge(module: String, master: String, journal: String, user: String?)
    /// Drops the columns and tables of what was deleted.
    case compact
    /// Turns territories on or off for the organisation.
    case territories(on: Bool)

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
        case .merge(let module, let ids, let master, let policy, let dryRun, let user):
            [
                "command": "merge", "module": .string(module), "ids": .array(ids.map { .string($0) }), "master": .optional(master),
                "policy": policy,
                "dry_run": .bool(dryRun), "user": .optional(user),
            ]
        case .listClients: ["command": "client list"]
        case .deleteClient(let id): ["command": "client delete", "client": .string(id)]
        case .jobs(let all): ["command": "jobs", "all": .bool(all)]
        case .compact: ["command": "compact"]
        case .territories(let on): ["command": "territories", "on": .bool(on)]
        case .unmerge(let module, let master, let journal, let user):
            [
                "command": "unmerge", "module": .string(module), "master": .string(master), "journal": .string(journal),
                "user": .optional(user),
            ]
        }
    }

    /// The address of the user to act as, where a request names one.
    var user: String? {
        switch self {
        case .createClient, .listClients, .deleteClient, .jobs, .password, .compact, .territories: nil
        case .grant(_, _, let user, _), .token(_, let user, _), .merge(_, _, _, _, _, let user), .unmerge(_, _, _, let user): user
        }
    }

    package init?(_ json: JSONValue) {
        let minutes = json["minutes"]?.int64.map { Int(clamping: $0) }
        switch json["command"]?.string {
        case "compact": self = .compact
        case "territories":
            guard let on = json["on"]?.bool else { return nil }
            self = .territories(on: on)
        case "client list": self = .listClients
        case "client delete":
            guard let client = json["client"]?.string else { return nil }
            self = .deleteClient(clientID: client)
        case "jobs": self = .jobs(all: json["all"]?.bool ?? false)
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
        case "merge":
            guard let module = json["module"]?.string, let ids = json["ids"]?.array else { return nil }
            self = .merge(
                module: module, ids: ids.compactMap(\.string), master: json["master"]?.string, policy: json["policy"] ?? .null,
                dryRun: json["dry_run"]?.bool ?? false, user: json["user"]?.string)
        case "unmerge":
            guard let module = json["module"]?.string, let master = json["master"]?.string, let journal = json["journal"]?.string else {
                return nil
            }
            self = .unmerge(module: module, master: master, journal: journal, user: json["user"]?.string)
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
