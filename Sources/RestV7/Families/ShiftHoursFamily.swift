import CRMCore
import HTTPShell
import Metadata
import Wire

/// Who works when. Contract: shift-hours, 106 to 109.
enum ShiftHoursFamily: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "shift_hours", path: "/crm/v7/settings/business_hours/shift_hours", scope: "ZohoCRM.settings.business_hours",
        kind: ShiftHours.kind,
        verbs: [.list: "106", .get: "106", .create: "107", .updateMany: "108", .updateOne: "108", .deleteOne: "109"],
        messages: [
            .create: "Shift Hours created successfully.", .updateMany: "Shift Hours updated successfully.",
            .updateOne: "Shift Hours updated successfully.", .deleteOne: "shift hours deleted successfully",
        ], permission: SettingsPermission.customize, perCall: ShiftHours.limit, rule: ShiftHoursRule(), attributes: [])
}

struct ShiftHoursRule: ResourceRule {
    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace {
        var place = ResourcePlace()
        if context.isAdministrator || context.access.may(permission: SettingsPermission.users) { place.texts["sees_users"] = "yes" }
        return place
    }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        let reader = try ShiftHoursReader(draft.item, id: draft.id, scope)
        if draft.existing == nil {
            guard scope.catalog.documents(ShiftHours.kind).count < ShiftHours.limit else {
                throw Rejection(.limitExceeded, .jsonPath(draft.item.path), .other("limit", .integer(ShiftHours.limit)))
            }
            for name in ["daily_timing", "custom_timing", "break_hours"] { draft.body[name] = .null }
            draft.body["users"] = []
        }
        try reader.read(into: &draft.body)
        try Holiday.apply(draft.item, to: draft.id, named: draft.body["name"] ?? .null, scope)
    }

    func remove(_ document: Document, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        try scope.remove(Holiday.of(document.id, scope.catalog).map(\.id))
    }

    func contains(_ document: Document, _ place: ResourcePlace) -> Bool { true }

    func show(_ answer: JSONValue, of document: Document, single: Bool, _ place: ResourcePlace, _ catalog: Catalog) -> JSONValue {
        var answer = answer
        let people = Self.people(document, catalog)
        let holidays = Holiday.of(document.id, catalog).map { holiday -> JSONValue in
            [
                "date": holiday.body["date"] ?? .null, "year": holiday.body["year"] ?? .null, "name": holiday.body["name"] ?? .null,
                "id": .id(holiday.id),
            ]
        }
        answer["holidays"] = holidays.isEmpty ? JSONValue.null : .array(holidays)
        answer["users_count"] = .integer(people.count)
        answer["users"] = place.texts["sees_users"] == nil ? JSONValue.null : .array(people)
        return answer
    }

    /// Those in the shift who are still here.
    private static func people(_ document: Document, _ catalog: Catalog) -> [JSONValue] {
        (document.body["users"]?.array ?? []).compactMap { entry in
            guard let user = entry["id"]?.looseInt64.flatMap({ catalog.user(UserID(raw: $0)) }), user.status != "deleted" else {
                return nil
            }
            return [
                "role": user.body["role"] ?? .null, "name": .string(user.fullName), "id": .string(String(user.id.raw)),
                "email": .string(user.email), "zuid": user.body["zuid"] ?? .null, "effective_from": entry["effective_from"] ?? .null,
            ]
        }
    }

    func page(_ items: [JSONValue], _ place: ResourcePlace, _ catalog: Catalog) -> (items: [JSONValue], more: [JSONValue.Member]) {
        let peopled = items.filter { ($0["users_count"]?.int64 ?? 0) > 0 }.count
        let count: JSONValue = ["total_shift_with_user": .integer(peopled), "total_shift": .integer(items.count)]
        return (items, [.init("shift_count", count)])
    }
}
