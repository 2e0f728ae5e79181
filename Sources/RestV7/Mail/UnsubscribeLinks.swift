import CRMCore
import HTTPShell
import Metadata
import Wire

/// Links by which receivers say that they want no more mails, and the pages behind them. Contract: unsubscribe-links, 59 to 62.
enum UnsubscribeLinks: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "unsubscribe_links", path: "/crm/v7/settings/unsubscribe_links", scope: "ZohoCRM.settings.unsubscribe", kind: .unsubscribeLink,
        verbs: [.create: "60", .updateMany: "61", .updateOne: "61", .deleteOne: "62"],
        messages: [
            .create: "Unsubscribe Link created successfully", .updateMany: "Unsubscribe Link updated successfully",
            .updateOne: "Unsubscribe Link updated successfully",
            .deleteOne: "Unsubscribe Link deleted successfully",
        ],
        permission: SettingsPermission.customize, perCall: 10, rule: UnsubscribeRule(),
        attributes: [
            Attribute("name", .text(max: 100, plain: false), missing: .mandatoryNotFound, unique: true),
            Attribute("page_type", .choice(["standard", "custom"], refusal: .invalidData), missing: .mandatoryNotFound),
            Attribute("custom_location_url", .text(max: 500, plain: false)),
            Attribute("standard_page_message", .text(max: 10_000, plain: false)),
            Attribute(
                "submission_action_type", .choice(["display_message", "redirect"], refusal: .invalidData), missing: .mandatoryNotFound),
            Attribute("submission_redirect_url", .text(max: 500, plain: false)),
            Attribute("submission_message", .text(max: 10_000, plain: false)),
        ])
}

/// Reading has a scope of its own (`unsubscribe-links.md`, 59).
enum UnsubscribeLinksRead: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "unsubscribe_links", path: UnsubscribeLinks.descriptor.path, scope: "ZohoCRM.settings.unsubscribe_links", kind: .unsubscribeLink,
        verbs: [.list: "59", .get: "59"], permission: nil, rule: UnsubscribeRule(), attributes: [])
}

/// What belongs to each kind of page must be there. Links are few: a hundred at most.
struct UnsubscribeRule: ResourceRule {
    private static let most = 100

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        if draft.existing == nil {
            guard scope.catalog.documents(.unsubscribeLink).count < Self.most else {
                throw Rejection(.limitExceeded, .jsonPath(draft.item.path), .other("limit", .integer(Self.most)))
            }
            for (key, value) in [("created_by", scope.actor), ("created_time", scope.time)] { draft.body[key] = value }
        }
        if draft.existing?.body["name"] == "Default" { draft.body["name"] = "Default" }
        try require("custom_location_url", draft, when: "page_type", is: "custom")
        try require("submission_redirect_url", draft, when: "submission_action_type", is: "redirect")
        try require("submission_message", draft, when: "submission_action_type", is: "display_message")
        for key in ["custom_location_url", "submission_redirect_url"] {
            guard let text = draft.body[key]?.string else { continue }
            guard Self.isWebAddress(text) else { throw Rejection.invalid(at: draft.item.path.appending(key)) }
        }
        draft.body["modified_by"] = scope.actor
        draft.body["modified_time"] = scope.time
    }

    private func require(_ key: String, _ draft: ResourceDraft, when dependee: String, is value: String) throws(Rejection) {
        guard draft.body[dependee]?.string == value, draft.body[key]?.string?.isEmpty ?? true else { return }
        let path = draft.item.path
        throw Rejection(
            .dependentFieldMissing, .apiName(key), .jsonPath(path.appending(key)), .dependee(dependee, path.appending(dependee)))
    }

    /// People are led there: nothing but a page of the web, and nothing that ends a header.
    static func isWebAddress(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\"<>\\^`{|}".utf8.contains($0) }) else { return false }
        let lower = text.lowercased()
        guard let scheme = ["https://", "http://"].first(where: lower.hasPrefix) else { return false }
        return lower.dropFirst(scheme.count).first.map { $0.isLetter || $0.isNumber || $0 == "[" } ?? false
    }

    func remove(_ document: Document, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        if document.body["name"] == "Default" { throw Rejection(.notAllowed, .id(document.id)) }
    }

    func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue {
        var answer = answer
        answer["location_url_type"] = .null
        return answer
    }
}

/// Which templates have places for which links. Contract: unsubscribe-links, 63.
enum UnsubscribeAssociations: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/unsubscribe_link/actions/associations", entry: "63", scope: .fixed(["ZohoCRM.settings.unsubscribe.READ"]))

    struct Input: EndpointInput {
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {}
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let places = try await context.services.unsubscribePlaces()
        guard !places.isEmpty else { return .nothing }
        let shown = places.map { link, templates -> JSONValue in
            let rows = templates.compactMap { template -> JSONValue? in
                guard let module = context.catalog.module(id: template.module), context.access.may(.view, module) else { return nil }
                return [
                    "type": "email_templates", "resource": ["name": .string(template.name), "id": .id(template.id)],
                    "details": ["module": module.shown],
                ]
            }
            return ["id": .id(link), "associated_places": .array(rows)]
        }
        return .json(["associations": .array(shown)])
    }
}

/// The page on which the receiver of a mail says that he wants no more; an extension of ours. Looking at it changes nothing, for
/// programs look at links.
enum ShowUnsubscribePage: Endpoint {
    static let declaration = Declaration(.get, "/unsubscribe/{token}", entry: "", scope: .anyone)

    struct Input: EndpointInput {
        fileprivate let visit: UnsubscribeVisit
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { visit = UnsubscribeVisit(request, context) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply { input.visit.question }
}

/// The receiver says it: by the button of the page, of a mail program (RFC 8058), or of a page of the organisation's own.
enum Unsubscribe: Endpoint {
    static let declaration = Declaration(.post, "/unsubscribe/{token}", entry: "", scope: .anyone, bodyLimit: 65_536)

    struct Input: EndpointInput {
        fileprivate let visit: UnsubscribeVisit
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { visit = UnsubscribeVisit(request, context) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let token = input.visit.token, try await token.unsubscribe(context.services) else { return UnsubscribeVisit.unknown }
        return input.visit.thanks
    }
}

/// Somebody who followed the link of a mail.
private struct UnsubscribeVisit: Sendable {
    let token: UnsubscribeToken?
    private let settings: JSONValue

    init(_ request: ParsedRequest, _ context: RequestContext) {
        token = UnsubscribeToken(request.path["token"] ?? "", context.services.pageKey)
        let all = context.catalog.documents(.unsubscribeLink)
        let id = request.query("link").flatMap { RecordID($0) }
        settings = (all.first { $0.id == id } ?? all.first { $0.body["name"] == "Default" })?.body ?? [:]
    }

    static var unknown: Reply {
        page("Unknown link", "<h1>This link is not valid</h1><p>It may be broken, or the record is gone.</p>", 404)
    }

    var question: Reply {
        guard let token else { return Self.unknown }
        let message = settings["standard_page_message"]?.string.map(PlainText.of) ?? "You will get no more mails from us."
        return Self.page(
            "Unsubscribe",
            """
            <h1>Unsubscribe \(token.address)?</h1><p>\(message)</p>
            <form method=post><button>Unsubscribe</button></form>
            """)
    }

    var thanks: Reply {
        if settings["submission_action_type"] == "redirect", let place = settings["submission_redirect_url"]?.string {
            return .redirect(to: place)
        }
        let message = settings["submission_message"]?.string.map(PlainText.of) ?? "You will get no more mails from us."
        return Self.page("Unsubscribed", "<h1>You are unsubscribed</h1><p>\(message)</p>")
    }

    private static func page(_ title: String, _ content: HTML, _ status: Int = 200) -> Reply {
        PublicPage.reply(title, content, status: status)
    }
}

/// Links to unsubscribe by.
let unsubscribeEndpoints: [any Endpoint.Type] =
    UnsubscribeLinks.endpoints + UnsubscribeLinksRead.endpoints
    + [UnsubscribeAssociations.self, ShowUnsubscribePage.self, Unsubscribe.self]
