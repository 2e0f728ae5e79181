import ArgumentParser
import Foundation
import HTTPShell

/// How much of the API may be used. Nothing is limited unless one of these is given; see docs/limits.md.
struct LimitOptions: ParsableArguments {
    @Option(
        help: """
            Limit calls as an edition of the original does: free, standard, professional, enterprise or ultimate. Also read from \
            TRIBUTARY_EDITION (default: no limits).
            """)
    var edition: String?
    @Option(help: "API credits within 24 hours, instead of the edition's. Also read from TRIBUTARY_CREDITS_PER_DAY.")
    var creditsPerDay: Int64?
    @Option(help: "Calls of one client at the same time, instead of the edition's. Also read from TRIBUTARY_CONCURRENT_CALLS.")
    var concurrentCalls: Int?

    func validate() throws { _ = try limits(users: 1) }

    func limits(users: Int) throws -> APILimits {
        var limits = APILimits()
        if let name = edition ?? Self.variable("TRIBUTARY_EDITION") {
            guard let edition = Edition(rawValue: name) else {
                throw ValidationError("--edition takes one of \(Edition.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            limits = edition.limits(users: users)
        }
        if let credits = try creditsPerDay ?? Self.number("TRIBUTARY_CREDITS_PER_DAY").map(Int64.init) { limits.credits = credits }
        if let calls = try concurrentCalls ?? Self.number("TRIBUTARY_CONCURRENT_CALLS") { limits.concurrency = calls }
        guard limits.credits ?? 1 > 0, limits.concurrency ?? 1 > 0 else { throw ValidationError("limits are at least 1") }
        return limits
    }

    private static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func number(_ name: String) throws -> Int? {
        guard let text = variable(name) else { return nil }
        guard let number = Int(text) else { throw ValidationError("\(name) is no number") }
        return number
    }
}
