import Metadata
import SQLStore
import Wire

/// A deal's pipeline has a default, its probability follows its stage, and its expected revenue follows both.
struct DealRule: RecordRule {
    func concerns(_ module: Module) -> Bool { module.apiName == "Deals" }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        let pipelines = Pipelines(scope.catalog)
        if change.after["Pipeline"].isNull { change.after["Pipeline"] = .init(pipelines.standard) }
        if let probability = change.after["Probability"].integer, !(0...100).contains(probability) {
            throw Rejection(
                .invalidData, .apiName("Probability"), .jsonPath(change.path.appending("Probability")),
                .other("range", ["from": 0, "to": 100]))
        }
        try pipelines.check(change)
        let stageChanged = change.before?["Stage"] != change.after["Stage"]
        if stageChanged, !change.gave("Probability") { pipelines.setProbability(of: &change.after) }
        pipelines.setExpectedRevenue(of: &change.after)
    }
}

/// The pipelines of deals and what their stages mean.
package struct Pipelines: Sendable {
    package struct Stage: Sendable {
        package let name: String
        package let probability: Int64
        /// Neither won nor lost.
        package let open: Bool
    }

    package let standard: String?
    private let stages: [String: Stage]
    /// The stages of each pipeline by its name.
    private let members: [String: Set<String>]

    package init(_ catalog: Catalog) {
        let documents = catalog.documents(.pipeline)
        standard = documents.first { $0.body["default"]?.bool == true }?.body["display_value"]?.string
        var stages: [String: Stage] = [:]
        for map in documents.flatMap({ $0.body["maps"]?.array ?? [] }) {
            guard let name = map["display_value"]?.string else { continue }
            let stage = Stage(
                name: name, probability: map["probability"]?.int64 ?? 0, open: (map["forecast_type"]?.string ?? "Open") == "Open")
            stages[name] = stage
            if let actual = map["actual_value"]?.string, stages[actual] == nil { stages[actual] = stage }
        }
        self.stages = stages
        members = Dictionary(
            documents.map { document in
                (
                    document.body["display_value"]?.string ?? "",
                    Set((document.body["maps"]?.array ?? []).compactMap { $0["display_value"]?.string })
                )
            }, uniquingKeysWith: { $1 })
    }

    /// A stage that some pipeline knows must belong to the deal's own (`appointments.md` names the refusal; records leave it open).
    /// Stages and pipelines nobody knows are kept as given, like every option of a picklist.
    func check(_ change: PendingChange) throws(Rejection) {
        guard change.gave("Stage") || change.gave("Pipeline"), let stage = change.after["Stage"].text,
            let own = change.after["Pipeline"].text.flatMap({ members[$0] }),
            !own.contains(stage), members.values.contains(where: { $0.contains(stage) })
        else { return }
        throw Rejection(
            .mappingMismatch, message: "Pipeline doesn`t contain the Stage", .dependee("Pipeline", change.path.appending("Pipeline")),
            .other("mapped_field", "Pipeline"), .apiName("Stage"), .jsonPath(change.path.appending("Stage")))
    }

    /// Stages no pipeline knows count as open.
    package func isOpen(_ deal: Record) -> Bool { deal["Stage"].text.flatMap { stages[$0] }?.open ?? true }

    func setProbability(of deal: inout Record) {
        if let stage = deal["Stage"].text.flatMap({ stages[$0] }) { deal["Probability"] = .integer(stage.probability) }
    }

    func setExpectedRevenue(of deal: inout Record) {
        guard let amount = deal["Amount"].real, let probability = deal["Probability"].integer else {
            deal["Expected_Revenue"] = .null
            return
        }
        deal["Expected_Revenue"] = .real((amount * Double(probability) / 100).rounded(to: 2))
    }
}
