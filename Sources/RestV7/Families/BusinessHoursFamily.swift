import CRMCore
import HTTPShell
import Metadata
import Wire

/// When the organisation works. Contract: business-hours, 95 to 97.
enum BusinessHoursFamily: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "business_hours", path: "/crm/v7/settings/business_hours", scope: "ZohoCRM.settings.business_hours", kind: BusinessHours.kind,
        verbs: [.get: "95", .create: "96", .updateOne: "97"],
        messages: [.create: "Business Hours saved successfully", .updateOne: "Business Hours saved successfully"],
        permission: SettingsPermission.customize, isSingle: true, rule: BusinessHoursRule(), attributes: [])
}

struct BusinessHoursRule: ResourceRule {
    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace {
        var place = ResourcePlace()
        if verb == .updateOne { place.texts["names"] = "id" }
        return place
    }

    /// All such documents; the place says only what a body must name.
    func contains(_ document: Document, _ place: ResourcePlace) -> Bool { true }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        if place.texts["names"] != nil {
            let named = try draft.item.required("id")
            guard try named.recordID() == draft.id else { throw Rejection.invalid(at: named.path) }
        }
        draft.body = try BusinessHours.read(draft.item, over: draft.existing?.body, scope.catalog)
    }
}
