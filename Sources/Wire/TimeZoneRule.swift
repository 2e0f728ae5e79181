// The only file of this target that needs Foundation: the zone rules of the system live there.
import Foundation

/// The offsets of one time zone through the years.
package struct TimeZoneRule: Sendable, Hashable {
    package let identifier: String
    private let zone: TimeZone

    /// By its name in the zone database, such as `Asia/Kolkata`. Nil when there is none.
    package init?(identifier: String) {
        guard let zone = TimeZone(identifier: identifier) else { return nil }
        self.identifier = identifier
        self.zone = zone
    }

    private init(identifier: String, zone: TimeZone) {
        self.identifier = identifier
        self.zone = zone
    }

    package static let utc = TimeZoneRule(identifier: "UTC", zone: .gmt)

    package func offsetMinutes(at instant: Instant) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant.milliseconds) / 1000)) / 60
    }
}
