import CRMCore
import HTTPShell
import Metadata
import Wire

/// A kind of templates on the wire. Contract: templates, 73 and 74.
protocol TemplateFamily: Sendable {
    static var kind: Template.Kind { get }
    static var name: String { get }
    static var scope: String { get }
    static var entry: String { get }
    /// The profile's right to make and change them.
    static var permission: String { get }
    static var folder: String { get }
    static func has(_ module: Module) -> Bool
}

/// Contract: templates, 74.
enum EmailTemplates: TemplateFamily {
    static let kind = Template.Kind.email
    static let name = "email_templates"
    static let scope = "ZohoCRM.templates.email"
    static let entry = "74"
    static let permission = "Crm_Implied_Manage_Email_Templates"
    static let folder = "Public Email Templates"

    static func has(_ module: Module) -> Bool {
        module.generatedType == "custom" || module.body["other_version_flags"]?["emailTemplate_support"]?.bool ?? false
    }
}

/// Contract: templates, 73.
enum InventoryTemplates: TemplateFamily {
    static let kind = Template.Kind.inventory
    static let name = "inventory_templates"
    static let scope = "ZohoCRM.templates.inventory"
    static let entry = "73"
    static let permission = "Crm_Implied_Manage_Inventory_Templates"
    static let folder = "Public Templates"

    static func has(_ module: Module) -> Bool { module.body["other_version_flags"]?["inventory_template_supported"]?.bool ?? false }
}

/// The templates of the modules that the caller may see.
enum ListTemplates<Family: TemplateFamily>: Endpoint {
    static var declaration: Declaration {
        Declaration(.get, "/crm/v7/settings/\(Family.name)", entry: Family.entry, scope: .fixed(["\(Family.scope).READ"]))
    }

    struct Input: EndpointInput {
        let filter: TemplateStore.Filter
        let order: TemplateStore.Order
        let descending: Bool
        let page: NumberedPage

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            var modules = context.catalog.modules.filter { Family.has($0) && context.access.may(.view, $0) }
            if let name = request.query("module"), !name.isEmpty {
                guard let module = context.catalog.module(name), Family.has(module) else {
                    throw Rejection(.invalidModule, .parameter("module"))
                }
                try context.access.require(.view, module)
                modules = [module]
            }
            let category = try Self.choice("category", TemplateStore.Filter.Category.self, request)
            filter = TemplateStore.Filter(Family.kind, modules: modules.map(\.id), category: category)
            order = try Self.choice("sort_by", TemplateStore.Order.self, request) ?? .modified
            descending = try Self.choice("sort_order", Direction.self, request) != .asc
            page = try NumberedPage(request)
        }

        private enum Direction: String, CaseIterable { case asc, desc }

        private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
            _ name: String, _ type: Choice.Type, _ request: ParsedRequest
        ) throws(Rejection) -> Choice? {
            guard let text = request.query(name), !text.isEmpty else { return nil }
            guard let choice = Choice(rawValue: text) else {
                throw Rejection(.patternNotMatched, .apiName(name), .supportedValues(Choice.allCases.map(\.rawValue)))
            }
            return choice
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = try await context.services.templates(
            input.filter, for: context.access.user, order: input.order, descending: input.descending, skipping: input.page.skipped,
            limit: input.page.perPage + 1)
        let shown = found.prefix(input.page.perPage)
        guard !shown.isEmpty else { return .nothing }
        return .json([
            Family.name: .array(shown.map { TemplateAnswer<Family>(context: context).json($0, whole: false) }),
            "info": input.page.info(shown.count, more: found.count > shown.count),
        ])
    }
}

/// One template, with its content.
enum GetTemplate<Family: TemplateFamily>: Endpoint {
    static var declaration: Declaration {
        Declaration(.get, "/crm/v7/settings/\(Family.name)/{template_id}", entry: Family.entry, scope: .fixed(["\(Family.scope).READ"]))
    }

    struct Input: EndpointInput {
        /// An id that is none finds nothing.
        let id: RecordID?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { id = RecordID(request.path["template_id"] ?? "") }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let id = input.id, let template = try await context.services.template(id, Family.kind),
            let module = context.catalog.module(id: template.module)
        else { return .nothing }
        try context.access.require(.view, module)
        return .json([Family.name: [TemplateAnswer<Family>(context: context).json(template, whole: true)]])
    }
}

/// A template as answers show it.
struct TemplateAnswer<Family: TemplateFamily> {
    let context: RequestContext

    func json(_ template: Template, whole: Bool) -> JSONValue {
        var json: JSONValue = [
            "id": .id(template.id), "name": .string(template.name),
            "module": context.catalog.module(id: template.module)?.shown ?? .null,
            "folder": ["name": .string(Family.folder), "id": context.catalog.organization["id"] ?? .null],
            "editor_mode": .string(template.mode.rawValue), "favorite": .bool(template.isFavorite),
            "last_usage_time": context.shown(template.usedAt), "created_time": context.shown(template.createdAt),
            "modified_time": context.shown(template.modifiedAt), "created_by": context.shownUser(template.createdBy),
            "modified_by": context.shownUser(template.modifiedBy), "active": .bool(!template.isDraft),
        ]
        if Family.kind == .email {
            json["category"] = template.isDraft ? "draft" : "normal"
            json["subject"] = .string(template.subject)
            json["layout"] = .null
            json["attachments"] = .null
            json["associated"] = false
            json["consent_linked"] = false
            json["last_version_statistics"] = [
                "tracked": 0, "delivered": .integer(template.sent), "opened": 0, "bounced": .integer(template.bounced),
                "sent": .integer(template.sent + template.bounced), "clicked": 0,
            ]
        } else {
            json["category"] = "custom_templates"
        }
        if whole { json["content"] = .string(template.content) }
        return json
    }
}

/// What a body says of a template; the API has no call that makes one, so these are ours.
private struct TemplateReader<Family: TemplateFamily> {
    let context: RequestContext

    func read(_ item: JSONCursor, over known: Template?) throws(Rejection) -> Template {
        _ = try item.object()
        let reader = EmailReader(context: context)
        for name in known == nil ? ["name", "module", "content"] : [] { _ = try item.required(name) }
        let module = try reader.given("module", item).map { given throws(Rejection) in try self.module(given) }
        let user = context.access.user.raw
        var template =
            known
            ?? Template(
                id: context.services.ids.next(), kind: Family.kind, module: module?.id ?? ModuleID(raw: 0), name: "", subject: "",
                content: "", mode: .richText, isDraft: false, isFavorite: false, by: user, at: context.now)
        if let module { template.module = module.id }
        if let name = try reader.given("name", item)?.string(max: 120, min: 1) { template.name = name }
        if let subject = try reader.text("subject", of: item, max: 250) { template.subject = subject }
        if let content = try reader.text("content", of: item, max: longestEmailContent) { template.content = content }
        if let given = reader.given("editor_mode", item) {
            guard let mode = Template.Mode(rawValue: try given.string()) else {
                throw .unsupported(Template.Mode.allCases.map(\.rawValue), at: given.path)
            }
            template.mode = mode
        }
        if let flag = try reader.flag("favorite", of: item) { template.isFavorite = flag }
        if let flag = try reader.flag("active", of: item) { template.isDraft = !flag }
        (template.modifiedBy, template.modifiedAt) = (user, context.now)
        return template
    }

    private func module(_ given: JSONCursor) throws(Rejection) -> Module {
        let found =
            given.value.string != nil ? context.catalog.module(given.value.string ?? "") : try ModuleReference.read(given, context.catalog)
        guard let found, Family.has(found) else { throw Rejection(.invalidModule, .apiName("module"), .jsonPath(given.path)) }
        try context.access.require(.view, found)
        return found
    }
}

/// Makes templates. An extension of ours.
enum CreateTemplates<Family: TemplateFamily>: Endpoint {
    static var declaration: Declaration {
        Declaration(.post, "/crm/v7/settings/\(Family.name)", entry: "", scope: .fixed(["\(Family.scope).CREATE"]))
    }

    struct Input: EndpointInput {
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: Family.permission)
            items = try request.json().items(Family.name)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.services.changeTemplates(input.items) { item, tx in
            let template = try TemplateReader<Family>(context: context).read(item, over: nil)
            try TemplateStore.put(template, isNew: true, at: item.path, tx)
            return .success("Template created successfully", details: ["id": .id(template.id)])
        }
        return .items(Family.name, results, success: 201)
    }
}

/// Changes a template. An extension of ours.
enum UpdateTemplate<Family: TemplateFamily>: Endpoint {
    static var declaration: Declaration {
        Declaration(.put, "/crm/v7/settings/\(Family.name)/{template_id}", entry: "", scope: .fixed(["\(Family.scope).UPDATE"]))
    }

    struct Input: EndpointInput {
        let id: RecordID
        let item: JSONCursor
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: Family.permission)
            id = try request.recordID("template_id", index: 0)
            item = try request.json().items(Family.name, limit: 1)[0]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.services.changeTemplates([input.item]) { item, tx in
            guard let known = try TemplateStore.find(input.id, Family.kind, tx) else { throw Rejection.invalidPathID(0) }
            try TemplateStore.put(try TemplateReader<Family>(context: context).read(item, over: known), isNew: false, at: item.path, tx)
            return .success("Template updated successfully", details: ["id": .id(input.id)])
        }
        return .items(Family.name, results)
    }
}

/// Deletes a template; mails made from it stay. An extension of ours.
enum DeleteTemplate<Family: TemplateFamily>: Endpoint {
    static var declaration: Declaration {
        Declaration(.delete, "/crm/v7/settings/\(Family.name)/{template_id}", entry: "", scope: .fixed(["\(Family.scope).DELETE"]))
    }

    struct Input: EndpointInput {
        let id: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: Family.permission)
            id = try request.recordID("template_id", index: 0)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.services.changeTemplates([input.id]) { id, tx in
            guard try TemplateStore.find(id, Family.kind, tx) != nil else { throw Rejection.invalidPathID(0) }
            try TemplateStore.remove(id, at: context.now, tx)
            return .success("Template deleted successfully", details: ["id": .id(id)])
        }
        return .items(Family.name, results)
    }
}

/// Templates of mails and documents.
let templateEndpoints: [any Endpoint.Type] = [
    ListTemplates<EmailTemplates>.self, GetTemplate<EmailTemplates>.self, CreateTemplates<EmailTemplates>.self,
    UpdateTemplate<EmailTemplates>.self, DeleteTemplate<EmailTemplates>.self, ListTemplates<InventoryTemplates>.self,
    GetTemplate<InventoryTemplates>.self, CreateTemplates<InventoryTemplates>.self, UpdateTemplate<InventoryTemplates>.self,
    DeleteTemplate<InventoryTemplates>.self,
]
