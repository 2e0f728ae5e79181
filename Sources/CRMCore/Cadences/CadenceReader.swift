import Metadata
import Wire

/// Reads a cadence from a body into the form that is kept. v7 lists cadences and makes none, so the shape is ours (`docs/cadences.md`).
package struct CadenceReader {
    package static let limit = 50
    private static let mostSteps = 20

    private let scope: MetadataScope
    private let module: Module

    /// Completes the draft of a cadence; `item` is the body over what is there already.
    package static func read(_ item: JSONCursor, over before: JSONValue?, _ scope: MetadataScope) throws -> JSONValue {
        let given = try item.required("module")
        let module = try NamedModule.read(given, scope.catalog).whole
        guard Cadence.supports(module) else { throw Rejection.invalid(at: given.path) }
        if let before, before["module"]?["id"]?.looseInt64 != module.id.raw { throw Rejection.notAllowed(at: given.path) }
        if before == nil, scope.catalog.documents(.cadence).count >= limit {
            throw Rejection(.limitExceeded, .jsonPath(item.path), .other("limit", .integer(limit)))
        }
        let reader = CadenceReader(scope: scope, module: module)
        var body = item.value
        body["module"] = ["api_name": .string(module.apiName), "id": .string(String(module.id.raw))]
        body["custom_view"] = try reader.view(item)
        body["follow_ups"] = .array(try reader.steps(try item.required("follow_ups")))
        body["unenroll_criteria"] =
            try Self.given(item, "unenroll_criteria").map { try KeptCriteria.read($0, of: module, scope) } ?? JSONValue.null
        if let end = Self.given(item, "end_date") {
            guard CalendarDate(try end.string()) != nil else { throw Rejection.wrongType("date", at: end.path) }
        }
        body["execute_every"] = try Self.given(item, "execute_every").map { try Delay($0).json } ?? Delay.hour.json
        return body
    }

    private static func given(_ item: JSONCursor, _ name: String) -> JSONCursor? {
        item.optional(name).flatMap { $0.value.isNull ? nil : $0 }
    }

    /// The view whose records are enrolled by themselves; none for manual enrolment.
    private func view(_ item: JSONCursor) throws(Rejection) -> JSONValue {
        let type = item.value["type"]?.string ?? Cadence.Enrolment.manual.rawValue
        guard type == Cadence.Enrolment.view.rawValue else { return .null }
        let given = try item.required("custom_view")
        let id = given.optional("id") ?? given
        let wanted = try id.recordID()
        guard let view = scope.catalog.documents(.customView).first(where: { $0.id == wanted && $0.parent?.raw == module.id.raw }) else {
            throw .invalid(at: id.path)
        }
        return ["name": view.body["display_value"] ?? view.body["name"] ?? .null, "id": .id(view.id)]
    }

    private func steps(_ given: JSONCursor) throws -> [JSONValue] {
        let elements = try given.elements()
        if elements.isEmpty { throw Rejection.tooShort(1, at: given.path) }
        guard elements.count <= Self.mostSteps else {
            throw Rejection(.limitExceeded, .apiName(given.name), .jsonPath(given.path), .other("limit", .integer(Self.mostSteps)))
        }
        return try elements.map(step)
    }

    private func step(_ item: JSONCursor) throws -> JSONValue {
        let type = try item.required("type")
        let delay = try Delay(try item.required("delay")).json
        switch try type.string() {
        case "email":
            guard PortalUserType.address(of: module) != nil else { throw Rejection.invalid(at: type.path) }
            if let given = Self.given(item, "template") { return try templated(given, delay) }
            return [
                "type": "email", "delay": delay,
                "subject": .string(try item.required("subject").string(max: Mail.longestSubject, min: 1)),
                "content": .string(try item.required("content").string(max: 32_000, min: 1)),
            ]
        case "task": return ["type": "task", "delay": delay, "task": try activity(try item.required("task"), "Tasks")]
        case "call": return ["type": "call", "delay": delay, "call": try activity(try item.required("call"), "Calls")]
        default: throw Rejection.unsupported(["email", "task", "call"], at: type.path)
        }
    }

    private func templated(_ given: JSONCursor, _ delay: JSONValue) throws -> JSONValue {
        let id = try given.required("id")
        guard let template = try TemplateStore.find(try id.recordID(), .email, scope.tx), template.module == module.id, !template.isDraft
        else { throw Rejection.invalid(at: id.path) }
        return ["type": "email", "delay": delay, "template": ["name": .string(template.name), "id": .id(template.id)]]
    }

    /// What no activity could hold is refused here.
    private func activity(_ given: JSONCursor, _ name: String) throws -> JSONValue {
        guard let activities = scope.catalog.module(name) else { throw Rejection.invalid(at: given.path) }
        let system = AccessPolicy.system("follow-ups are checked, and done for whoever enrols a record")
        var complete = given.value
        if name == "Calls" { complete = CadenceRun.call(complete, at: scope.now, scope.catalog) }
        _ = try RecordDecoder(catalog: scope.catalog, module: activities, access: system).decode(
            JSONCursor(complete, at: given.path), into: Record(activities, id: RecordID(raw: 0)), .insert)
        return given.value
    }
}
