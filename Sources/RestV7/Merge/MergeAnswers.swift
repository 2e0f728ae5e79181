import CRMCore
import Wire

/// The result objects of merges that tell more than the contract asks for.
enum MergeAnswers {
    static func merged(_ master: RecordID, _ children: [RecordID], _ journal: RecordID, _ outcome: MergeOutcome) -> JSONValue {
        var details: JSONValue = ["id": .id(master), "journal_id": .id(journal), "merged_ids": .array(children.map { .id($0) })]
        for member in outcome.json.members ?? [] { details[member.name] = member.value }
        return .success("The records have been merged successfully", details: details)
    }

    static func preview(_ preview: MergePreview) -> JSONValue {
        var details: JSONValue = [
            "id": .id(preview.master), "merged_ids": .array(preview.children.map { .id($0) }), "mode": preview.scheduled ? "scheduled" : "synchronous",
            "record": preview.record,
        ]
        for member in preview.outcome.json.members ?? [] { details[member.name] = member.value }
        return .success("Nothing was changed", code: "DRY_RUN", details: details)
    }
}
