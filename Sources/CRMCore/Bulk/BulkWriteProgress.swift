import Wire

/// How far a bulk write has come, file by file.
package struct BulkWriteProgress: Sendable, Equatable {
    package struct Count: Sendable, Equatable {
        /// Rows of the file; 0 until it has been looked through.
        package var total = 0
        package var done = 0
        package var added = 0
        package var updated = 0
        package var skipped = 0
        package var parts = 0
    }

    /// Every file has been looked through: nothing is written before that.
    package var isChecked = false
    package var counts: [Count]

    init(resources: Int) { counts = Array(repeating: Count(), count: resources) }

    package init(_ kept: JSONValue) {
        isChecked = kept["checked"]?.bool ?? false
        counts = (kept["counts"]?.array ?? []).map { count in
            func number(_ name: String) -> Int { count[name]?.int64.map(Int.init) ?? 0 }
            return Count(
                total: number("total"), done: number("done"), added: number("added"), updated: number("updated"),
                skipped: number("skipped"),
                parts: number("parts"))
        }
    }

    var kept: JSONValue {
        [
            "checked": .bool(isChecked),
            "counts": .array(
                counts.map { count in
                    [
                        "total": .integer(count.total), "done": .integer(count.done), "added": .integer(count.added),
                        "updated": .integer(count.updated), "skipped": .integer(count.skipped), "parts": .integer(count.parts),
                    ]
                }),
        ]
    }
}
