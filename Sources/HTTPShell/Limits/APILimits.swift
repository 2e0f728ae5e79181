/// How much of the API may be used. Contract: common, §13. Nothing is limited unless somebody says so.
package struct APILimits: Sendable, Equatable {
    /// Credits of the organisation within 24 hours.
    package var credits: Int64?
    /// Calls of one client at the same time.
    package var concurrency: Int?
    /// Heavy calls, those that cost more than one credit, of one client at the same time.
    package var heavyConcurrency = 10

    package init(credits: Int64? = nil, concurrency: Int? = nil) {
        self.credits = credits
        self.concurrency = concurrency
    }

    package var areOff: Bool { credits == nil && concurrency == nil }
}

/// An edition of the original, for its limits.
package enum Edition: String, Sendable, CaseIterable {
    case free, standard, professional, enterprise, ultimate

    package func limits(users: Int) -> APILimits {
        let users = Int64(users)
        return switch self {
        case .free: APILimits(credits: 5_000, concurrency: 5)
        case .standard: APILimits(credits: min(50_000 + 250 * users, 100_000), concurrency: 10)
        case .professional: APILimits(credits: min(50_000 + 500 * users, 3_000_000), concurrency: 15)
        case .enterprise: APILimits(credits: min(50_000 + 1_000 * users, 5_000_000), concurrency: 20)
        case .ultimate: APILimits(credits: 50_000 + 2_000 * users, concurrency: 25)
        }
    }
}

/// What a call costs, and of how many calls it takes the place while it runs.
package struct CallLoad: Sendable, Equatable {
    package let credits: Int
    package let places: Int
    /// Of heavy calls only some may run at a time. The contract names that limit and not the calls: those that cost more than the usual
    /// credit are taken for heavy, and those that say so.
    package let isHeavy: Bool

    package init(credits: Int, places: Int = 1, isHeavy: Bool? = nil) {
        self.credits = credits
        self.places = places
        self.isHeavy = isHeavy ?? (credits > 1)
    }

    /// One credit for each ten records begun.
    package static func records(_ count: Int) -> CallLoad { CallLoad(credits: max(1, (count + 9) / 10)) }
}
