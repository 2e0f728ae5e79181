import Wire

/// What a merge has done, in full.
package struct MergeReport: Sendable {
    package let master: RecordID
    package let children: [RecordID]
    package let journal: RecordID
    package let outcome: MergeOutcome

    package init(master: RecordID, children: [RecordID], journal: RecordID, outcome: MergeOutcome) {
        self.master = master
        self.children = children
        self.journal = journal
        self.outcome = outcome
    }

    package var json: JSONValue {
        var json: JSONValue = ["id": .id(master), "journal_id": .id(journal), "merged_ids": .array(children.map { .id($0) })]
        for member in outcome.json.members ?? [] { json[member.name] = member.value }
        return json
    }
}
