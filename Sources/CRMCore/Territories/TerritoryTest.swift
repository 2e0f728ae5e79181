import Metadata
import Wire

/// What criteria ask about the territories of a record: which territories they mean, and whether the record stands in one or in none.
struct TerritoryTest {
    let isNegative: Bool
    private let matches: @Sendable (Territory) -> Bool

    /// `nil` when territories cannot be asked that.
    init?(_ comparator: Comparator, _ operands: [JSONValue]) {
        let ids = Set(operands.compactMap { ($0["id"] ?? $0).looseInt64 })
        let names = operands.compactMap { $0.string?.lowercased() }
        func named(_ test: @escaping @Sendable (String, String) -> Bool) -> @Sendable (Territory) -> Bool {
            { territory in ids.contains(territory.id.raw) || names.contains { test(territory.name.lowercased(), $0) } }
        }
        switch comparator {
        case .empty, .notEmpty: matches = { _ in true }
        case .equal, .notEqual, .among, .notAmong: matches = named { $0 == $1 }
        case .contains, .notContains: matches = named { $0.contains($1) }
        case .startsWith: matches = named { $0.hasPrefix($1) }
        case .endsWith: matches = named { $0.hasSuffix($1) }
        case .digits, .less, .lessOrEqual, .greater, .greaterOrEqual, .between, .notBetween: return nil
        }
        isNegative = [.empty, .notEqual, .notAmong, .notContains].contains(comparator)
    }

    func accepts(_ territory: Territory) -> Bool { matches(territory) }
}
