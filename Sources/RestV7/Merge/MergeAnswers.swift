import CRMCore
import Wire

/// The result objects of merges that tell more than the contract asks for.
enum MergeAnswers {
    static func merged(_ report: MergeReport) -> JSONValue { .success("The records have been merged successfully", details: report.json) }

    static func preview(_ preview: MergePreview) -> JSONValue { .success("Nothing was changed", code: "DRY_RUN", details: preview.json) }
}
