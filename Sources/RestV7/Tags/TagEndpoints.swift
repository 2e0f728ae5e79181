import HTTPShell

/// Tags of modules and on records. Contract: tags, 49 to 58.
let tagEndpoints: [any Endpoint.Type] = [
    ListTags.self, CreateTags.self, UpdateTags.self, UpdateTag.self, DeleteTag.self, MergeTags.self, AddTags.self, AddTagsToRecord.self,
    RemoveTags.self, RemoveTagsFromRecord.self, CountTaggedRecords.self, MassDeleteTags.self, GetMassDeleteTags.self,
]
