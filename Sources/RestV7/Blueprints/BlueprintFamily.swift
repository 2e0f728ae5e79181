import CRMCore
import HTTPShell
import Metadata
import Wire

/// Blueprints: the processes that records go through. v7 has no call that makes them; an extension of ours (`docs/blueprints.md`).
enum BlueprintFamily: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "blueprints", path: "/crm/v7/settings/automation/blueprints", scope: "ZohoCRM.settings.blueprints", kind: .blueprint,
        verbs: [.list: "", .get: "", .create: "", .updateOne: "", .deleteOne: ""],
        messages: [.create: "blueprint created", .updateOne: "blueprint updated", .deleteOne: "blueprint deleted"],
        permission: SettingsPermission.customize, perCall: 1, rule: BlueprintFamilyRule(),
        attributes: [
            Attribute("name", .text(max: 100, plain: false), missing: .mandatoryNotFound, unique: true),
            Attribute("description", .text(max: 1000, plain: false)), Attribute("active", .flag, initial: true),
            Attribute("continuous", .flag, initial: false), Attribute("module", .custom, missing: .mandatoryNotFound),
            Attribute("layout", .custom, missing: .mandatoryNotFound), Attribute("field", .custom, missing: .mandatoryNotFound),
            Attribute("criteria", .custom), Attribute("transitions", .custom, missing: .mandatoryNotFound),
        ])
}

/// A blueprint that is gone lets go of every record in it.
struct BlueprintFamilyRule: ResourceRule {
    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace {
        var place = ResourcePlace()
        place.texts["module"] = request.query("module").flatMap { $0.isEmpty ? nil : $0 }
        return place
    }

    /// Those of the module that the parameter names, or all.
    func contains(_ document: Document, _ place: ResourcePlace) -> Bool {
        guard let name = place.texts["module"] else { return true }
        return document.body["module"]?["api_name"]?.string == name
    }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        draft.body = try BlueprintReader.read(
            JSONCursor(draft.body, at: draft.item.path), id: draft.id, over: draft.existing?.body, scope)
        if let former = draft.existing {
            try BlueprintRecords.removeStuck(in: draft.id, now: draft.body, before: former.body, scope)
        } else {
            draft.body["created_by"] = scope.actor
            draft.body["created_time"] = scope.time
        }
        draft.body["modified_by"] = scope.actor
        draft.body["modified_time"] = scope.time
    }

    func remove(_ document: Document, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        try BlueprintRecords.removeAll(of: document.id, scope)
    }
}
