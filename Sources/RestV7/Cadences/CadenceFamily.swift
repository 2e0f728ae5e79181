import CRMCore
import HTTPShell
import Metadata
import Wire

/// Making and changing cadences. v7 has a list only (64); the rest is an extension of ours (`docs/cadences.md`).
enum CadenceFamily: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "cadences", path: "/crm/v7/settings/automation/cadences", scope: "ZohoCRM.settings.cadences", kind: .cadence,
        verbs: [.get: "", .create: "", .updateOne: "", .deleteOne: ""],
        messages: [.create: "cadence created", .updateOne: "cadence updated", .deleteOne: "cadence deleted"],
        permission: SettingsPermission.cadences, perCall: 1, rule: CadenceFamilyRule(),
        attributes: [
            Attribute("name", .text(max: 100, plain: false), missing: .mandatoryNotFound, unique: true),
            Attribute("module", .custom, missing: .mandatoryNotFound),
            Attribute(
                "type", .choice(Cadence.Enrolment.allCases.map(\.rawValue), refusal: .invalidData), fixed: true,
                initial: .string(Cadence.Enrolment.manual.rawValue)),
            Attribute("active", .flag, initial: true), Attribute("custom_view", .custom),
            Attribute("follow_ups", .custom, missing: .mandatoryNotFound), Attribute("unenroll_criteria", .custom),
            Attribute("end_date", .custom), Attribute("execute_every", .custom),
        ])
}

/// A cadence that is gone lets go of every record in it.
struct CadenceFamilyRule: ResourceRule {
    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace {
        try context.access.require(permission: SettingsPermission.cadences)
        var place = ResourcePlace()
        place.texts["origin"] = context.homeURL
        return place
    }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        draft.body = try CadenceReader.read(JSONCursor(draft.body, at: draft.item.path), over: draft.existing?.body, scope)
        if draft.existing == nil {
            draft.body["created_by"] = scope.actor
            draft.body["created_time"] = scope.time
        }
        draft.body["modified_by"] = scope.actor
        draft.body["modified_time"] = scope.time
        draft.body["origin"] = place.texts["origin"].map(JSONValue.string) ?? .null
        draft.body["version"] = .integer((draft.existing?.body["version"]?.int64 ?? 0) + 1)
        try CadenceViewJob.follow(draft.body, id: draft.id, scope)
    }

    func remove(_ document: Document, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        try CadenceRecords.removeAll(of: document.id, scope)
    }

    func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue {
        CadenceAnswer.json(document, inFull: true)
    }
}

/// A cadence as the page of 64 shows it.
enum CadenceAnswer {
    /// `inFull` adds what only our own calls tell.
    static func json(_ document: Document, inFull: Bool) -> JSONValue {
        let cadence = Cadence(document)
        let body = document.body
        let counts = cadence.counts
        let end = body["end_date"]?.string ?? ""
        let hasCriteria = body["unenroll_criteria"].map { !$0.isNull } ?? false
        let type: JSONValue = hasCriteria ? "criteria" : end.isEmpty ? "none" : "end_date"
        var answer: JSONValue = [
            "summary": [
                "task_follow_up_count": .integer(counts.tasks), "call_follow_up_count": .integer(counts.calls),
                "email_follow_up_count": .integer(counts.emails),
            ],
            "created_time": body["created_time"] ?? .null, "module": body["module"] ?? .null, "active": .bool(cadence.isActive),
            "execution_details": [
                "unenroll_properties": ["end_date": .string(end), "type": type], "end_date": .string(end),
                "automatic_unenroll": .bool(hasCriteria || !end.isEmpty), "type": type, "execute_every": body["execute_every"] ?? .null,
            ],
            "published": true, "type": .string(cadence.enrolment.rawValue), "created_by": body["created_by"] ?? .null,
            "modified_time": body["modified_time"] ?? .null, "name": .string(cadence.name), "modified_by": body["modified_by"] ?? .null,
            "id": .id(cadence.id), "custom_view": body["custom_view"] ?? .null, "status": cadence.isActive ? "active" : "inactive",
        ]
        guard inFull else { return answer }
        for key in ["follow_ups", "unenroll_criteria"] { answer[key] = body[key] ?? .null }
        return answer
    }
}
