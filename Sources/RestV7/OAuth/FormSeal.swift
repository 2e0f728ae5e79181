import CRMCore
import HTTPShell

/// Shows that a form was sent from a page of ours in the same browser. The page carries a digest of a cookie that other
/// sites can neither read nor set.
enum FormSeal {
    static let sessionCookie = "tributary_session"
    static let visitorCookie = "tributary_form"

    static func of(_ cookie: String) -> String { Secrets.fingerprint("form:" + cookie) }

    static func fits(_ seal: String?, _ cookie: String?) -> Bool {
        guard let seal, let cookie, !cookie.isEmpty else { return false }
        return Secrets.equal(seal, of(cookie))
    }

    static func cookie(_ name: String, _ value: String, seconds: Int64, sameSite: String, _ context: RequestContext) -> (String, String) {
        let secure = context.baseURL.hasPrefix("https:") ? "; Secure" : ""
        return ("Set-Cookie", "\(name)=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=\(sameSite)\(secure)")
    }
}
