import Foundation

/// A mail server as an administrator names it: `smtp://host:port` or `smtps://user:password@host:port`.
package struct SMTPServer: Sendable, Equatable {
    package struct Login: Sendable, Equatable {
        package let user: String
        package let password: String
    }

    /// Without the login.
    package let url: String
    package let login: Login?

    package init?(_ text: String) {
        guard let given = URLComponents(string: text), let scheme = given.scheme?.lowercased(), ["smtp", "smtps"].contains(scheme),
            let host = given.host, !host.isEmpty, ["", "/"].contains(given.path), given.query == nil, given.fragment == nil
        else { return nil }
        guard (given.user == nil) == (given.password == nil), given.user != "" else { return nil }
        var place = URLComponents()
        place.scheme = scheme
        place.host = host
        place.port = given.port
        guard let url = place.string else { return nil }
        self.url = url
        login = given.user.flatMap { user in given.password.map { Login(user: user, password: $0) } }
    }
}
