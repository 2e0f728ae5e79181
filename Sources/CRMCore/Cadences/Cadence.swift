import Metadata
import SQLStore
import Wire

extension Document.Kind {
    package static let cadence: Document.Kind = "cadence"
}

/// A series of follow-ups that a record goes through once it is enrolled: mails, tasks and calls, each after a delay.
package struct Cadence: Sendable {
    package enum Enrolment: String, Sendable, CaseIterable {
        case manual = "Manual enrollment"
        case view = "Custom view"
    }

    package enum FollowUp: Sendable {
        /// Subject and content of its own, or those of a template.
        case email(subject: String?, content: String?, template: RecordID?)
        /// The values of the record that is made.
        case task(JSONValue)
        case call(JSONValue)
    }

    package struct Step: Sendable {
        package let delay: Delay
        package let followUp: FollowUp
    }

    package let id: RecordID
    package let name: String
    package let module: ModuleID
    package let enrolment: Enrolment
    package let isActive: Bool
    package let steps: [Step]
    /// A record that meets them is un-enrolled.
    let unenrolCriteria: JSONValue
    /// After this day nothing is done any more.
    let endDate: CalendarDate?
    let view: RecordID?
    let interval: Delay
    /// Where its mails' links lead.
    let origin: String
    package let body: JSONValue

    private static let standardModules: Set<String> = ["Leads", "Contacts", "Deals", "Vendors"]

    /// Cadences, section notes.
    package static func supports(_ module: Module) -> Bool {
        module.table != nil && (standardModules.contains(module.apiName) || module.generatedType == "custom")
    }

    package init(_ document: Document) {
        let body = document.body
        id = document.id
        name = body["name"]?.string ?? ""
        module = ModuleID(raw: body["module"]?["id"]?.looseInt64 ?? 0)
        enrolment = Enrolment(rawValue: body["type"]?.string ?? "") ?? .manual
        isActive = body["active"]?.bool ?? false
        steps = (body["follow_ups"]?.array ?? []).compactMap(Step.init)
        unenrolCriteria = body["unenroll_criteria"] ?? .null
        endDate = body["end_date"]?.string.flatMap(CalendarDate.init)
        view = body["custom_view"]?["id"]?.looseInt64.map(RecordID.init(raw:))
        interval = body["execute_every"].flatMap { Delay($0) } ?? Delay.hour
        origin = body["origin"]?.string ?? ""
        self.body = body
    }

    package static func all(_ catalog: Catalog) -> [Cadence] { catalog.documents(.cadence).map { Cadence($0) } }

    /// How many steps of each kind there are.
    package var counts: (tasks: Int, calls: Int, emails: Int) {
        steps.reduce(into: (0, 0, 0)) { counts, step in
            switch step.followUp {
            case .task: counts.0 += 1
            case .call: counts.1 += 1
            case .email: counts.2 += 1
            }
        }
    }
}

extension Cadence.Step {
    init?(_ json: JSONValue) {
        guard let delay = json["delay"].flatMap({ Delay($0) }) else { return nil }
        self.delay = delay
        switch json["type"]?.string {
        case "email":
            followUp = .email(
                subject: json["subject"]?.string, content: json["content"]?.string,
                template: json["template"]?["id"]?.looseInt64.map(RecordID.init(raw:)))
        case "task": followUp = .task(json["task"] ?? [:])
        case "call": followUp = .call(json["call"] ?? [:])
        default: return nil
        }
    }
}
