import CRMCore
import HTTPShell
import Metadata
import Wire

/// The pages of the authorization flow.
enum AuthorizationPages {
    /// A visitor without a cookie gets one, for the form to be tied to.
    static func signIn(
        _ request: AuthorizationRequest, _ client: Client, visitor: String?, _ context: RequestContext, problem: String? = nil
    ) -> Reply {
        let known = visitor.flatMap { $0.isEmpty ? nil : $0 }
        let cookie = known ?? Secrets.hex(Secrets.randomBytes(16))
        let warning: HTML = problem.map { "<p class=problem role=alert>\($0)</p>" } ?? ""
        var reply = page(
            "Sign in",
            """
            <h1>Sign in</h1><p>to go on to <b>\(client.name)</b></p>\(warning)
            <form method=post action="/oauth/v2/auth">\(hidden(request, FormSeal.of(cookie)))
            <label>E-mail <input name=email type=email autocomplete=username required autofocus></label>
            <label>Password <input name=password type=password autocomplete=current-password required></label>
            <button name=step value=sign_in>Sign in</button></form>
            """)
        if known == nil {
            // An hour: longer than anyone takes to type a password.
            reply.headers.append(FormSeal.cookie(FormSeal.visitorCookie, cookie, seconds: 3600, sameSite: "Strict", context))
        }
        return reply
    }

    static func consent(_ request: AuthorizationRequest, _ client: Client, _ scopes: ScopeSet, _ user: User, seal: String) -> Reply {
        let items = HTML(joining: scopes.scopes.map { "<li>\(meaning(of: $0)) <code>\($0.text)</code></li>" })
        let lasting: HTML = request.offline ? "<p>This lasts until it is taken back, also when you are not here.</p>" : ""
        return page(
            "Allow access",
            """
            <h1>Allow access?</h1><p><b>\(client.name)</b> asks to act as you, \(user.fullName) (\(user.email)):</p>
            <ul>\(items)</ul>\(lasting)
            <form method=post action="/oauth/v2/auth">\(hidden(request, seal))
            <button name=step value=allow>Allow</button> <button name=step value=deny class=quiet>Refuse</button>
            <button name=step value=sign_out class=link>I am someone else</button></form>
            """)
    }

    static func problem(_ text: String) -> Reply {
        page("Cannot go on", "<h1>Cannot go on</h1><p>\(text)</p><p>Tell whoever gave you the link.</p>", status: 400)
    }

    /// The form is not from a page of ours, or too old.
    static var stale: Reply {
        page(
            "Form expired", "<h1>This form is no longer valid</h1><p>Go back to the program you came from and start again.</p>", status: 403
        )
    }

    private static func hidden(_ request: AuthorizationRequest, _ seal: String) -> HTML {
        let fields = request.fields + [(name: "seal", value: seal)]
        return HTML(joining: fields.map { "<input type=hidden name=\"\($0.name)\" value=\"\($0.value)\">" })
    }

    /// What a scope permits, in plain words.
    private static func meaning(of scope: Scope) -> String {
        let what = scope.area.split(separator: ".").dropFirst().joined(separator: " ").replacing("_", with: " ")
        return switch scope.operation {
        case "read": "Read: \(what)"
        case "create": "Create: \(what)"
        case "update": "Change: \(what)"
        case "write": "Create and change: \(what)"
        case "delete": "Delete: \(what)"
        case "all": "Everything: \(what)"
        default: "\(scope.operation): \(what)"
        }
    }

    private static func page(_ title: String, _ content: HTML, status: Int = 200) -> Reply {
        PublicPage.reply(title, content, status: status)
    }
}
