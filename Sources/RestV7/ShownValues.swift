import CRMCore
import HTTPShell
import Metadata
import Wire

/// Values as every answer shows them: moments in the caller's zone, people by name and id.
extension RequestContext {
    func shown(_ instant: Instant?) -> JSONValue {
        guard let instant else { return .null }
        return .string(instant.iso(offsetMinutes: zone.offsetMinutes(at: instant)))
    }

    /// `{"name","id"}`; null when nobody, or nobody known.
    func shownUser(_ id: Int64?) -> JSONValue {
        guard let id, let user = catalog.user(UserID(raw: id)) else { return .null }
        return ["name": .string(user.fullName), "id": .string(String(id))]
    }
}

extension RequestContext {
    /// Whether the caller has the profile that may do everything.
    var isAdministrator: Bool { catalog.isAdministrator(access.user) }
}

extension Module {
    /// `{"api_name","id"}`.
    var shown: JSONValue { ["api_name": .string(apiName), "id": .string(String(id.raw))] }
}

/// A module named in a body by `api_name`, `id` or both.
enum ModuleReference {
    /// `nil` when what is given names no module. Neither key is EXPECTED_FIELD_MISSING, two that disagree AMBIGUITY_DURING_PROCESSING.
    static func read(_ input: JSONCursor, _ catalog: Catalog) throws(Rejection) -> Module? {
        _ = try input.object()
        let name = input.optional("api_name").flatMap { $0.value.isNull ? nil : $0 }
        let id = input.optional("id").flatMap { $0.value.isNull ? nil : $0 }
        let paths = ["api_name", "id"].map {
            ["api_name": .string($0), "json_path": .string(input.path.appending($0).description)] as JSONValue
        }
        if name == nil && id == nil { throw Rejection(.expectedFieldMissing, .other("expected_fields", .array(paths))) }
        let byName = try name.map { cursor throws(Rejection) in catalog.module(try cursor.string()) } ?? nil
        let byID = try id.map { cursor throws(Rejection) in catalog.module(id: ModuleID(raw: try cursor.recordID().raw)) } ?? nil
        guard name != nil, id != nil else { return byName ?? byID }
        if byName?.id != byID?.id { throw Rejection(.ambiguityDuringProcessing, .other("ambiguity_due_to", .array(paths))) }
        return byName
    }
}
