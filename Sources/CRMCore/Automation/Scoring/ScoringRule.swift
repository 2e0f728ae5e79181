import Metadata
import Wire

/// Points for records of one module: for what they hold, and for what people behind them do. Contract: scoring-rules, 10 to 17.
package struct ScoringRule: Sendable {
    package struct FieldRule: Sendable {
        let id: RecordID
        let score: Int
        let criteria: JSONValue
    }

    package struct SignalRule: Sendable {
        let id: RecordID
        let score: Int
        let signal: Signal
    }

    /// Modules besides custom ones whose records are scored.
    private static let modules: Set<String> = ["Leads", "Accounts", "Contacts", "Deals"]
    /// Those whose records are people, so that signals are about them.
    private static let people: Set<String> = ["Leads", "Contacts"]
    /// What the Enterprise edition allows (section notes).
    package static let mostActive = 25, most = 50, mostCriteria = 30
    package static let scores = -10...10

    package let document: Document
    package let module: ModuleID
    /// The layout whose records it is about; all of them without one.
    package let layout: RecordID?
    package let isActive: Bool
    package let fieldRules: [FieldRule]
    package let signalRules: [SignalRule]

    package init(_ document: Document) {
        self.document = document
        let body = document.body
        module = ModuleID(raw: body["module"]?["id"]?.looseInt64 ?? 0)
        layout = body["layout"]?["id"]?.looseInt64.map(RecordID.init(raw:))
        isActive = body["active"]?.bool ?? true
        fieldRules = (body["field_rules"]?.array ?? []).compactMap { rule in
            rule["id"]?.looseInt64.map {
                FieldRule(id: RecordID(raw: $0), score: Int(rule["score"]?.int64 ?? 0), criteria: rule["criteria"] ?? .null)
            }
        }
        signalRules = (body["signal_rules"]?.array ?? []).compactMap { rule in
            guard let id = rule["id"]?.looseInt64, let signal = Signal.named(rule["signal"]?["namespace"]?.string ?? "") else { return nil }
            return SignalRule(id: RecordID(raw: id), score: Int(rule["score"]?.int64 ?? 0), signal: signal)
        }
    }

    package var id: RecordID { document.id }

    package static func supports(_ module: Module) -> Bool {
        module.table != nil && (modules.contains(module.apiName) || module.generatedType == "custom")
    }

    package static func isAboutPeople(_ module: Module) -> Bool { people.contains(module.apiName) }

    package static func all(_ catalog: Catalog) -> [ScoringRule] { catalog.documents(.scoringRule).map(ScoringRule.init) }

    /// The rules at work in a module.
    package static func active(in module: ModuleID, _ catalog: Catalog) -> [ScoringRule] {
        all(catalog).filter { $0.module == module && $0.isActive }
    }
}
