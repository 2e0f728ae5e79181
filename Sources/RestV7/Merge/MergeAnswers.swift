import CRMCore
import HTTPShell
import Wire

/// The result objects of merges that tell more than the contract asks for.
enum MergeAnswers {
    static func merged(_ report: MergeReport) -> JSONValue { .success("The records have been merged successfully", details: report.json) }

    /// The only place where a refusal of a merge becomes an answer: wrapped in the list of the endpoint, or at top level.
    static func reply(in list: String, _ answer: () async throws -> Reply) async throws -> Reply {
        do {
            return try await answer()
        } catch let refusal as MergeRefusal {
            return refusal.wrapped ? .wrapped(list, refusal.rejection) : .rejected(refusal.rejection)
        }
    }

    static func scheduled(_ job: RecordID, _ more: JSONValue = [:], message: String = "The records have been scheduled for merge")
        -> JSONValue
    {
        var details: JSONValue = ["job_id": .id(job)]
        for member in more.members ?? [] { details[member.name] = member.value }
        return .success(message, code: "SCHEDULED", details: details)
    }

    static func preview(_ preview: MergePreview) -> JSONValue { .success("Nothing was changed", code: "DRY_RUN", details: preview.json) }
}
