import Wire

/// How far a bulk read has come: what is in pieces already, and where to go on.
package struct BulkReadProgress: Sendable, Equatable {
    package var count = 0
    package var last: RecordID?
    package var parts = 0
    package var more = false
    /// Nothing is left to be read.
    package var isEnded = false
    package var perPage: Int
    /// Leads to the next page, for the user who asked and until then.
    package var token: String?
    package var tokenUntil: Instant?

    /// 24 hours (`bulk-read.md`, 249).
    static let tokenMilliseconds: Int64 = 24 * 3_600_000

    init(perPage: Int) { self.perPage = perPage }

    package init(_ kept: JSONValue) {
        perPage = kept["per_page"]?.int64.map(Int.init) ?? 0
        count = kept["count"]?.int64.map(Int.init) ?? 0
        last = kept["last"]?.looseInt64.map(RecordID.init(raw:))
        parts = kept["parts"]?.int64.map(Int.init) ?? 0
        more = kept["more"]?.bool ?? false
        isEnded = kept["ended"]?.bool ?? false
        token = kept["token"]?.string
        tokenUntil = kept["token_until"]?.int64.map(Instant.init(milliseconds:))
    }

    var kept: JSONValue {
        [
            "per_page": .integer(perPage), "count": .integer(count), "last": last.map(JSONValue.id) ?? .null, "parts": .integer(parts),
            "more": .bool(more), "ended": .bool(isEnded), "token": token.map(JSONValue.string) ?? .null,
            "token_until": tokenUntil.map { .integer($0.milliseconds) } ?? .null,
        ]
    }
}
