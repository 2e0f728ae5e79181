import Metadata
import SQLStore
import Wire

/// Something that a person does, of which others hear. Contract: scoring-rules, 18.
package struct Signal: Sendable {
    /// Where signals come from.
    package struct Source: Sendable {
        package let label: String
        package let namespace: String
        package let id: RecordID
    }

    package let id: RecordID
    package let label: String
    package let namespace: String
    package let source: Source
    package let isNegative: Bool
    package let isForScoring: Bool
    /// Whether this server has what raises it. The others are named so that rules about them can be kept.
    package let isRaised: Bool

    /// The standard ones, in the order of the page. Extensions of other products are not among them: none is installed.
    package static let all: [Signal] = {
        // Their ids stand between those of the seed and those made later.
        let first: Int64 = 113_000_000_000_000_000
        var signals: [Signal] = []
        for (place, (label, namespace, entries)) in standard.enumerated() {
            let source = Source(label: label, namespace: namespace, id: RecordID(raw: first + Int64(place + 1) * 100))
            for (index, entry) in entries.enumerated() {
                signals.append(
                    Signal(
                        id: RecordID(raw: source.id.raw + Int64(index + 1)), label: entry.label, namespace: entry.namespace, source: source,
                        isNegative: entry.traits.contains(.negative), isForScoring: !entry.traits.contains(.unscored),
                        isRaised: entry.traits.contains(.raised)))
            }
        }
        return signals
    }()

    package static func named(_ namespace: String) -> Signal? { all.first { $0.namespace == namespace } }

    private enum Trait { case negative, unscored, raised }
    private typealias Entry = (label: String, namespace: String, traits: Set<Trait>)

    private static let standard: [(label: String, namespace: String, entries: [Entry])] = [
        (
            "Email", "Email",
            [("Incoming", "Email_Incoming__s", []), ("Competitor Alert", "Email_Incoming_Competitors__s", [.unscored])]
        ),
        (
            "Email Insights", "EmailInsight",
            [
                ("Open", "EmailInsight_Open__s", []), ("Click", "EmailInsight_Click__s", []),
                ("Bounce", "EmailInsight_Bounce__s", [.negative]),
            ]
        ),
        (
            "Call", "Telephony",
            [("Missed", "Telephony_Missed__s", [.negative, .raised]), ("Not Picked", "Telephony_NotPicked__s", [.unscored])]
        ),
        ("Survey", "Survey", [("Responded", "Survey_Responded__s", []), ("Visited", "Survey_Visited__s", [])]),
        (
            "Campaigns", "Campaign",
            [
                ("Open", "Campaign_Open__s", []), ("Click", "Campaign_Click__s", []), ("Hard Bounce", "Campaign_Bounce__s", [.negative]),
                ("Soft Bounce", "Campaign_Soft_Bounce__s", [.negative]),
            ]
        ),
        ("Webinar", "Webinar", [("Registered", "Webinar_Registered__s", []), ("Attended", "Webinar_Attended__s", [])]),
    ]
}

/// How often the signals that are raised here have occurred. A missed call is a record of Calls of that type.
enum SignalCounts {
    /// The lookups by which a call names whom it is with.
    private static let lookups = ["Who_Id", "What_Id"]

    /// For each of these people, how many missed calls name them. One statement.
    static func missedCalls(of ids: [RecordID], in module: Module, _ scope: WriteScope) throws -> [RecordID: Int] {
        guard let calls = scope.catalog.module("Calls"), let table = calls.table, let type = calls.field("Call_Type")?.columns.first,
            !ids.isEmpty
        else { return [:] }
        let parts = fields(of: calls, to: module).compactMap { field -> SQL? in
            guard let column = field.columns.first else { return nil }
            let kind: SQL = field.columns.count == 2 ? " AND \(field.columns[1], of: "h") = \(.literal(module.id.raw))" : ""
            let named: SQL = "\(.memberIDs("\(column, of: "h")", ids.map(\.raw).sorted()))"
            return "SELECT h.\(column) AS person, h.id AS id FROM \(table) h WHERE \(named)\(kind) AND h.\(type) = 'Missed'"
        }
        guard !parts.isEmpty else { return [:] }
        var counts: [RecordID: Int] = [:]
        // UNION rather than UNION ALL: a call that names somebody twice is one call.
        try scope.tx.forEach("SELECT u.person, count(*) FROM (\(.joined(parts, by: " UNION "))) u GROUP BY u.person") { row in
            counts[RecordID(raw: row.integer(0) ?? 0)] = Int(row.integer(1) ?? 0)
        }
        return counts
    }

    private static func fields(of calls: Module, to module: Module) -> [Field] {
        lookups.compactMap { calls.field($0) }.filter { $0.target == nil || $0.target == module.id }
    }

    /// The people whom calls named before a change or name after it.
    static func people(of changes: [PendingChange], in module: Module) -> [RecordID] {
        var found: Set<RecordID> = []
        for change in changes {
            for field in fields(of: change.after.module, to: module) {
                for record in [change.before, change.after] {
                    guard let target = record?.target(of: field), target.module == module.id else { continue }
                    found.insert(RecordID(raw: target.id))
                }
            }
        }
        return found.sorted()
    }
}
