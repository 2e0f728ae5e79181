import CRMCore
import Metadata
import Wire

/// The keys beside `data` in a write body. Contract: records, "Section notes"; 125, 126 and 128.
struct WriteOptions: Sendable {
    /// The rule that finds owners for what is written, where `lar_id` names one.
    private let assignment: AssignmentRule?

    init(_ body: JSONCursor, _ module: Module, _ catalog: Catalog) throws(Rejection) {
        if let trigger = Self.given("trigger", body) {
            for name in try trigger.elements() { _ = try name.string() }
        }
        try Self.checkNames("skip_feature_execution", ["cadences"], body)
        try Self.checkNames("apply_feature_execution", ["layout_rules"], body)
        guard let rule = Self.given("lar_id", body) else {
            assignment = nil
            return
        }
        assignment = try AssignmentRule.named(rule, for: module, catalog)
    }

    /// Finds owners for what was written. An item that names its owner keeps it.
    func assign(_ written: [Result<Record, Rejection>], of items: [JSONCursor], _ store: RecordStore, _ scope: WriteScope) throws {
        guard let assignment else { return }
        let records = zip(items, written).compactMap { item, outcome -> Record? in
            Self.given("Owner", item) == nil ? try? outcome.get() : nil
        }
        // A record that the call names twice is assigned once, as it is at last.
        let last = Dictionary(records.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        var seen: Set<RecordID> = []
        try RecordAssignment(assignment, store, scope).apply(
            to: records.compactMap { seen.insert($0.id).inserted ? last[$0.id] : nil })
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
