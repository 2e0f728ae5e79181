import Wire

/// The keys beside `data` in a write body. No automation runs on writes yet, so they are checked and then done with.
/// Contract: records, "Section notes".
enum WriteOptions {
    static func check(_ body: JSONCursor) throws(Rejection) {
        if let trigger = given("trigger", body) {
            for name in try trigger.elements() { _ = try name.string() }
        }
        try checkNames("skip_feature_execution", ["cadences"], body)
        try checkNames("apply_feature_execution", ["layout_rules"], body)
        if let rule = given("lar_id", body) { _ = try rule.recordID() }
    }

    /// A null key is as good as none.
    private static func given(_ key: String, _ body: JSONCursor) -> JSONCursor? {
        body.optional(key).flatMap { $0.value.isNull ? nil : $0 }
    }

    private static func checkNames(_ key: String, _ supported: [String], _ body: JSONCursor) throws(Rejection) {
        guard let features = given(key, body) else { return }
        for feature in try features.elements() {
            let name = try feature.required("name")
            guard supported.contains(try name.string()) else { throw .unsupported(supported, at: name.path) }
        }
    }
}
