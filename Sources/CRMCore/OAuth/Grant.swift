import Metadata
import Wire

/// What an access token stands for.
package struct Grant: Sendable, Equatable {
    package let user: UserID
    package let clientID: String
    package let scopes: ScopeSet
    package let expires: Instant
    /// The consent it came from; revoking that revokes this.
    package let family: RecordID
}

/// Tokens just made, in the only moment their text is known.
package struct IssuedTokens: Sendable, Equatable {
    package let access: String
    package let refresh: String?
    package let scopes: ScopeSet
    package let expiresInSeconds: Int
}

/// How the exchange of a code or a refresh token ends.
package enum TokenOutcome: Sendable, Equatable {
    case issued(IssuedTokens)
    /// Unknown, expired, used before, or made for another client.
    case invalidCode
    case invalidRedirect
    case tooManyRequests
}

/// The numbers of OAuth. Contract: common, §3.
package struct TokenLimits: Sendable {
    package var accessSeconds: Int64 = 3600
    package var webCodeSeconds: Int64 = 120
    /// The oldest is dropped beyond this many, per user and client.
    package var refreshTokens = 20
    package var accessPerRefresh = 10
    package var accessWindowSeconds: Int64 = 600
    /// Codes stay known for a day after they expire, so that a second use is noticed.
    package var keepExpiredSeconds: Int64 = 86_400
    /// Eight hours: a working day without signing in again.
    package var sessionSeconds: Int64 = 28_800

    package init() {}
}

extension Instant {
    func adding(seconds: Int64) -> Instant { Instant(milliseconds: milliseconds + seconds * 1000) }
}
