import CRMCore
import HTTPShell
import Metadata
import Wire

/// Lists of options that fields of several modules share. Contract: global-picklists, U26 to U28.
enum GlobalPicklists: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "global_picklists", path: "/crm/v7/settings/global_picklists", scope: "ZohoCRM.settings.global_picklist", kind: .globalPicklist,
        verbs: [.list: "U26", .get: "U26", .create: "U27", .updateMany: "U28", .updateOne: "U28"],
        messages: [
            .create: "global picklist added successfully", .updateMany: "global picklist updated successfully",
            .updateOne: "global picklist updated successfully",
        ], permission: SettingsPermission.customize, perCall: 1, rule: GlobalPicklistRule(),
        attributes: [
            Attribute("display_label", .text(max: 50, plain: false), missing: .mandatoryNotFound, unique: true),
            Attribute("description", .text(max: 1000, plain: false)), Attribute("pick_list_values_sorted_lexically", .flag, initial: false),
        ])
}

/// The fields that use a list follow it.
struct GlobalPicklistRule: ResourceRule {
    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace {
        var place = ResourcePlace()
        place.texts["include"] = request.query("include")
        return place
    }

    func contains(_ document: Document, _ place: ResourcePlace) -> Bool { document.body["deleting"] == nil }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        let given = draft.item.optional("pick_list_values")
        if given == nil, draft.existing == nil { throw Rejection.missing("pick_list_values", at: draft.item.path) }
        try GlobalPicklist.complete(&draft.body, id: draft.id, isNew: draft.existing == nil, given, scope)
    }

    func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue {
        var answer = answer
        answer["replaced"] = nil
        answer["used_in_modules"] = .array(
            GlobalPicklist.uses(of: document.id, catalog).reduce(into: []) { found, use in
                let module: JSONValue = [
                    "api_name": .string(use.module.apiName), "id": .string(String(use.module.id.raw)),
                    "plural_label": use.module.body["plural_label"] ?? .null,
                ]
                if !found.contains(module) { found.append(module) }
            })
        return answer
    }
}

/// The list of a path.
struct PicklistPath: EndpointInput {
    let id: RecordID
    let document: Document

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        let found = RecordID(request.path["item"] ?? "").flatMap { id in context.catalog.documents(.globalPicklist).first { $0.id == id } }
        guard let found else { throw .unknownItem }
        id = found.id
        document = found
    }
}

/// Deletes a list; fields that use it keep its options as their own. Contract: global-picklists, U29.
enum DeleteGlobalPicklist: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/global_picklists/{item}", entry: "U29", scope: .fixed(["ZohoCRM.settings.global_picklist.DELETE"]))

    static func respond(_ input: PicklistPath, _ context: RequestContext) async throws -> Reply {
        try await GlobalPicklistActions.delete([input.id], context)
    }
}

/// Deletes the lists a parameter names. Contract: global-picklists, U29.
enum DeleteGlobalPicklists: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/global_picklists", entry: "U29", scope: .fixed(["ZohoCRM.settings.global_picklist.DELETE"]))

    struct Input: EndpointInput {
        let ids: [RecordID]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { ids = try request.ids() }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await GlobalPicklistActions.delete(input.ids, context)
    }
}

enum GlobalPicklistActions {
    static func delete(_ ids: [RecordID], _ context: RequestContext) async throws -> Reply {
        try context.access.require(permission: SettingsPermission.customize)
        let results = try await context.changeEach(ids) { item, scope in
            try GlobalPicklist.delete(item, scope)
        }
        return .items(
            "global_picklists", results, saying: "global picklist delete scheduled successfully", code: "SCHEDULED", naming: "job_id")
    }
}

/// Replaces options in all records. Contract: global-picklists, U30.
enum ReplacePicklistValues: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/global_picklists/{item}/actions/replace_picklist_values", entry: "U30",
        scope: .fixed(["ZohoCRM.settings.global_picklist.CREATE"]))

    struct Input: EndpointInput {
        let list: RecordID
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            list = try PicklistPath(request, context).id
            try context.access.require(permission: SettingsPermission.customize)
            items = try request.json().items("replace_picklist_values", limit: 100)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach(input.items) { item, scope in
            try GlobalPicklist.replace(item, in: input.list, scope)
        }
        return .items("replace_picklist_values", results, saying: "success", code: "SCHEDULED", naming: "job_id")
    }
}

/// The options that have been or are being replaced. Contract: global-picklists, U31.
enum ListReplacedValues: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/global_picklists/{item}/actions/replaced_values", entry: "U31",
        scope: .fixed(["ZohoCRM.settings.global_picklist.READ"]))

    static func respond(_ input: PicklistPath, _ context: RequestContext) async throws -> Reply {
        let replaced = input.document.body["replaced"]?.array ?? []
        return replaced.isEmpty ? .nothing : .json(["replaced_values": .array(replaced)])
    }
}

/// The rules whose criteria name an option. Contract: global-picklists, U32.
enum ListValueAssociations: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/global_picklists/{item}/actions/pick_list_values_associations", entry: "U32",
        scope: .fixed(["ZohoCRM.settings.global_picklist.READ"]))

    struct Input: EndpointInput {
        let list: RecordID
        /// How criteria may name the option, in lower case.
        let names: Set<String>

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let list = try PicklistPath(request, context).document
            guard let text = request.query("picklist_value_id"), !text.isEmpty else { throw .missingParameter("picklist_value_id") }
            guard let option = (list.body["pick_list_values"]?.array ?? []).first(where: { $0["id"]?.string == text }) else {
                throw .invalidParameter("picklist_value_id")
            }
            self.list = list.id
            names = Set(["display_value", "actual_value"].compactMap { option[$0]?.string?.lowercased() })
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let fields = GlobalPicklist.uses(of: input.list, context.catalog)
        let rules = RuleUse.all(context.catalog).filter { rule in
            fields.contains { $0.module.id == rule.module.id && rule.names(input.names, in: $0.field) }
        }
        guard !rules.isEmpty else { return .nothing }
        let types = rules.reduce(into: [String]()) { types, rule in if !types.contains(rule.type) { types.append(rule.type) } }
        return .json([
            "pick_list_values_associations": .array(
                types.map { type in
                    [
                        "type": .string(type),
                        "resources": .array(
                            rules.filter { $0.type == type }.map { rule in
                                [
                                    "id": .id(rule.id), "name": .string(rule.name),
                                    "details": [
                                        [
                                            "id": .id(rule.id), "name": .string(rule.name), "type": .string(type),
                                            "module": rule.module.shown,
                                        ]
                                    ],
                                ]
                            }),
                    ]
                })
        ])
    }
}

/// The fields that use a list. Contract: global-picklists, U33.
enum ListPicklistFields: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/global_picklists/{item}/actions/associations", entry: "U33",
        scope: .fixed(["ZohoCRM.settings.global_picklist.READ"]))

    struct Input: EndpointInput {
        let id: RecordID
        let page: NumberedPage
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            id = try PicklistPath(request, context).id
            page = try NumberedPage(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let uses = GlobalPicklist.uses(of: input.id, context.catalog)
        return input.page.reply(
            "associations",
            uses.map { use -> JSONValue in
                let layouts = context.catalog.documents(.layout).filter { $0.parent?.raw == use.module.id.raw }
                return [
                    "field": ["api_name": .string(use.field.apiName), "id": .string(String(use.field.id.raw))],
                    "module": [
                        "api_name": .string(use.module.apiName), "id": .string(String(use.module.id.raw)),
                        "plural_label": use.module.body["plural_label"] ?? .null,
                    ],
                    "layouts": .array(
                        layouts.map { ["name": $0.body["name"] ?? .null, "id": .id($0.id), "status": $0.body["status"] ?? .null] }),
                ]
            })
    }
}

let globalPicklistEndpoints: [any Endpoint.Type] =
    GlobalPicklists.endpoints + [
        DeleteGlobalPicklist.self, DeleteGlobalPicklists.self, ReplacePicklistValues.self, ListReplacedValues.self,
        ListValueAssociations.self, ListPicklistFields.self,
    ]
