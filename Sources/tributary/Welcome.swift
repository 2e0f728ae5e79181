import CRMCore
import Metadata
import Wire

/// What a start says on standard output: the address, and for a demo how to sign in and a first merge to try.
struct Welcome: Sendable {
    private let signIn: String?
    private let merge: (@Sendable (String) -> String)?

    /// A demo's password is told once, when it is made; its token is made anew with each start and good for a day.
    static func prepare(_ start: Bootstrap.Result, demo: Bool, _ administration: Administration) async throws -> Welcome {
        let email = start.administrator.email
        // Not "on the first start": that one may have ended before it could say anything.
        let known = try await administration.credentials.hasPassword(start.administrator.id)
        guard demo else {
            return Welcome(signIn: known ? nil : "To sign in, make a password: tributary user password \(email)", merge: nil)
        }
        let made = known ? nil : try await administration.perform(.password(email: email, password: nil))["password"]?.string
        let signIn = made.map { "Sign in as \(email) with the password \($0)" } ?? "Sign in as \(email)"
        guard let pair = start.demoPair else { return Welcome(signIn: signIn, merge: nil) }
        let scope = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.org.ALL,ZohoCRM.coql.READ"
        let token = try await administration.perform(.token(scope: scope, user: email, minutes: 1440))["access_token"]?.string ?? ""
        return Welcome(signIn: signIn) { origin in
            """
            Merge two demo records (the token is good for a day):

              curl -X POST '\(origin)/crm/v7/\(pair.module)/\(pair.master)/actions/merge' \\
                -H 'Authorization: Zoho-oauthtoken \(token)' \\
                -d '{"merge":[{"data":[{"id":"\(pair.child)","_fields":[{"api_name":"Phone"}]}]}]}'

            """
        }
    }

    func text(origin: String) -> String {
        (["Tributary is ready at \(origin)", signIn, merge?(origin)] as [String?]).compactMap { $0 }.joined(separator: "\n")
    }
}
