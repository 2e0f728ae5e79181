import CRMCore
import HTTPShell
import Metadata
import Wire

/// Days on which nobody works, or nobody of a shift. Contract: holidays, 98 to 101.
enum Holidays: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "holidays", path: "/crm/v7/settings/holidays", scope: "ZohoCRM.settings.business_hours", kind: Holiday.kind,
        verbs: [.list: "98", .get: "98", .create: "99", .updateMany: "100", .updateOne: "100", .deleteOne: "101"],
        messages: [
            .create: "Holiday created successfully", .updateMany: "Holidays updated successfully",
            .updateOne: "Holidays updated successfully", .deleteOne: "Holiday deleted successfully",
        ], permission: SettingsPermission.customize, rule: HolidayRule(), attributes: [])
}

struct HolidayRule: ResourceRule {
    private static let perPage = 200

    /// The parameters of a list are what its items must be.
    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace {
        var place = ResourcePlace()
        guard verb == .list else { return place }
        func given(_ name: String) -> String? { request.query(name).flatMap { $0.isEmpty ? nil : $0 } }
        if let year = given("year") {
            guard Int(year) != nil else { throw .invalidParameter("year") }
            place.texts["year"] = year
        }
        if let type = given("type") {
            guard Holiday.types.contains(type) else { throw .invalidParameter("type") }
            place.texts["type"] = type
        }
        if let shift = given("shift_id") {
            guard let id = RecordID(shift) else { throw .invalidParameter("shift_id") }
            place.ids["shift_id"] = id
        }
        for name in ["page", "per_page"] {
            guard let text = given(name) else { continue }
            guard let number = Int(text), number > 0 else { throw .invalidParameter(name) }
            place.texts[name] = text
        }
        return place
    }

    func contains(_ document: Document, _ place: ResourcePlace) -> Bool {
        let body = document.body
        if let year = place.texts["year"], body["year"]?.int64.map(String.init) != year { return false }
        if let type = place.texts["type"], body["type"]?.string != type { return false }
        if let shift = place.ids["shift_id"], body["shift_hour"]?["id"]?.looseInt64 != shift.raw { return false }
        return true
    }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        let shift = draft.item.optional("shift_hour").flatMap { $0.value.isNull ? nil : $0 }
        if draft.existing == nil || shift != nil || draft.item.value["type"] != nil { try readType(&draft, shift, scope.catalog) }
        try Holiday.complete(&draft.body, draft.item, id: draft.id, scope.catalog)
    }

    private func readType(_ draft: inout ResourceDraft, _ shift: JSONCursor?, _ catalog: Catalog) throws(Rejection) {
        guard let type = draft.item.optional("type"), !type.value.isNull else {
            if shift != nil { throw .dependentOn("type", "shift_hour", at: draft.item.path) }
            throw .missing("type", at: draft.item.path)
        }
        guard let chosen = type.value.string, Holiday.types.contains(chosen) else { throw .unsupported(Holiday.types, at: type.path) }
        draft.body["type"] = .string(chosen)
        guard chosen == Holiday.types[1] else {
            draft.body["shift_hour"] = .null
            return
        }
        guard let shift else { throw .dependentOn("shift_hour", "type", at: draft.item.path) }
        let named = shift.optional("id") ?? shift
        let id = try named.recordID()
        guard let found = catalog.documents(ShiftHours.kind).first(where: { $0.id == id }) else { throw .invalid(at: named.path) }
        draft.body["shift_hour"] = ["name": found.body["name"] ?? .null, "id": .id(id)]
    }

    func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue {
        var answer = answer
        // A shift may have another name by now.
        let shift = answer["shift_hour"]?["id"]?.looseInt64.flatMap { id in catalog.documents(ShiftHours.kind).first { $0.id.raw == id } }
        answer["shift_hour"] = shift.map { ["name": $0.body["name"] ?? .null, "id": .id($0.id)] } ?? .null
        return answer
    }

    func page(_ items: [JSONValue], _ place: ResourcePlace, _ catalog: Catalog) -> (items: [JSONValue], more: [JSONValue.Member]) {
        let page = place.texts["page"].flatMap { Int($0) } ?? 1
        let perPage = min(place.texts["per_page"].flatMap { Int($0) } ?? Self.perPage, Self.perPage)
        let (skipped, far) = (page - 1).multipliedReportingOverflow(by: perPage)
        let rest = far ? [] : Array(items.sorted { ($0["date"]?.string ?? "") < ($1["date"]?.string ?? "") }.dropFirst(skipped))
        let shown = Array(rest.prefix(perPage))
        let info: JSONValue = [
            "per_page": .integer(perPage), "count": .integer(shown.count), "page": .integer(page),
            "more_records": .bool(rest.count > perPage),
        ]
        return (shown, [.init("info", info)])
    }
}

extension Rejection {
    /// A key that another one of the same object asks for.
    static func dependentOn(_ name: String, _ dependee: String, at path: JSONPath) -> Rejection {
        Rejection(.dependentFieldMissing, .dependee(dependee, path.appending(dependee)), .apiName(name), .jsonPath(path.appending(name)))
    }
}
