import CRMCore
import HTTPShell
import Metadata
import Wire

/// Typed values of the organisation, by name. Contract: variables, 19 to 22.
enum Variables: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "variables", path: "/crm/v7/settings/variables", scope: "ZohoCRM.settings.variables", kind: .variable,
        verbs: [.list: "19", .get: "19", .updateMany: "20", .updateOne: "20", .create: "21", .deleteMany: "22", .deleteOne: "22"],
        messages: [
            .create: "variable added", .updateMany: "variable updated", .updateOne: "variable updated", .deleteMany: "variable deleted",
            .deleteOne: "variable deleted",
        ], permission: SettingsPermission.variables, rule: VariableRule(),
        attributes: [
            Attribute("api_name", .text(max: 50, plain: true), missing: .requiredParamMissing, unique: true),
            Attribute("name", .text(max: 50, plain: false), missing: .requiredParamMissing, unique: true),
            Attribute("type", .choice(VariableValue.types, refusal: .patternNotMatched), fixed: true, initial: "text"),
            Attribute("description", .text(max: 1000, plain: false)),
            Attribute("variable_group", .item(.variableGroup, named: "api_name"), missing: .requiredParamMissing, fixed: true),
            Attribute("value", .custom, initial: ""),
        ])
}

/// A value fits its type; a single variable is asked for with its group.
struct VariableRule: ResourceRule {
    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace {
        var place = ResourcePlace()
        let group = request.query("group").flatMap { $0.isEmpty ? nil : $0 }
        if verb == .get, group == nil { throw .missingParameter("group") }
        place.texts["group"] = [.create, .deleteMany, .deleteOne].contains(verb) ? nil : group
        return place
    }

    func contains(_ document: Document, _ place: ResourcePlace) -> Bool {
        guard let group = place.texts["group"] else { return true }
        let own = document.body["variable_group"]
        return own?["api_name"]?.string == group || own?["id"]?.string == group
    }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        if let name = draft.body["api_name"]?.string, !MadeName.isValid(name) {
            throw Rejection.invalid(at: draft.item.path.appending("api_name"))
        }
        guard let text = VariableValue.text(draft.body["value"] ?? "", type: draft.body["type"]?.string ?? "text") else {
            throw Rejection.invalid(at: draft.item.path.appending("value"))
        }
        draft.body["value"] = .string(text)
    }
}

/// The groups variables stand in; they come with the organisation. Contract: variables, 23.
enum VariableGroups: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "variable_groups", path: "/crm/v7/settings/variable_groups", scope: "ZohoCRM.settings.variable_groups", kind: .variableGroup,
        verbs: [.list: "23", .get: "23"], permission: nil, rule: PlainRule(), attributes: [])
}

/// Nothing beyond keeping items.
struct PlainRule: ResourceRule {}
