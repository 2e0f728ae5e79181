import Metadata
import Synchronization
import Wire

/// What turns stored values into shown ones: the caller's time zone, and how users, layouts and modules are named.
package struct RenderContext: Sendable {
    package var zone: TimeZoneRule
    let users: [Int64: [UInt8]]
    /// The shorter form of queries: the last name and the id.
    let people: [Int64: [UInt8]]
    let layouts: [Int64: [UInt8]]
    /// `{"api_name":…,"id":…}` by module number.
    let modules: [Int64: [UInt8]]
    let moduleNames: [Int64: String]
    /// Territories by name, and users by name and id only.
    let territories: [Int64: String]
    let namedUsers: [Int64: [UInt8]]
    let currencySymbol: String
    /// By code, when the organisation trades in several.
    let currencySymbols: [String: String]

    package init(_ catalog: Catalog, zone: TimeZoneRule) {
        self.zone = zone
        users = Dictionary(catalog.users.map { ($0.id.raw, $0.reference.encoded()) }, uniquingKeysWith: { first, _ in first })
        people = Dictionary(
            catalog.users.map { user in
                (
                    user.id.raw,
                    (["name": user.body["last_name"] ?? .string(user.fullName), "id": .string(String(user.id.raw))] as JSONValue).encoded()
                )
            }, uniquingKeysWith: { first, _ in first })
        layouts = Dictionary(
            catalog.documents(.layout).map { ($0.id.raw, (["name": $0.body["name"] ?? .null, "id": .id($0.id)] as JSONValue).encoded()) },
            uniquingKeysWith: { first, _ in first })
        modules = Dictionary(
            catalog.modules.map {
                ($0.id.raw, (["api_name": .string($0.apiName), "id": .string(String($0.id.raw))] as JSONValue).encoded())
            },
            uniquingKeysWith: { first, _ in first })
        moduleNames = Dictionary(catalog.modules.map { ($0.id.raw, $0.apiName) }, uniquingKeysWith: { first, _ in first })
        territories = Dictionary(catalog.territories.all.map { ($0.id.raw, $0.name) }, uniquingKeysWith: { first, _ in first })
        namedUsers = Dictionary(
            catalog.users.map { ($0.id.raw, (["name": .string($0.fullName), "id": .string(String($0.id.raw))] as JSONValue).encoded()) },
            uniquingKeysWith: { first, _ in first })
        currencySymbols = Dictionary(Currency.all(catalog).map { ($0.code, $0.symbol) }, uniquingKeysWith: { first, _ in first })
        currencySymbol = catalog.organization["currency_symbol"]?.string ?? "$"
    }
}

/// The render context of the newest catalog, made when first asked for.
final class RenderCache: Sendable {
    private let held = Mutex<(version: Int64, context: RenderContext)?>(nil)

    func context(_ catalog: Catalog, _ zone: TimeZoneRule) -> RenderContext {
        var context = held.withLock { $0?.version == catalog.version ? $0?.context : nil }
        if context == nil {
            let made = RenderContext(catalog, zone: zone)
            held.withLock { $0 = (catalog.version, made) }
            context = made
        }
        var found = context ?? RenderContext(catalog, zone: zone)
        found.zone = zone
        return found
    }
}
