import CRMCore
import HTTPShell
import Metadata
import Wire

/// The mails that wait, went, were kept or failed, for administrators. An extension of ours.
enum ListMails: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/__mails", entry: "", scope: .fixed(["ZohoCRM.settings.jobs.READ"]))

    struct Input: EndpointInput {
        let state: Outbox.State?
        let page: NumberedPage

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try JobAnswers.requireAdministrator(context)
            switch request.query("state") {
            case nil, "": state = nil
            case let name?:
                guard let known = Outbox.State(rawValue: name) else {
                    throw Rejection(.patternNotMatched, .parameter("state"), .supportedValues(Outbox.State.allCases.map(\.rawValue)))
                }
                state = known
            }
            page = try NumberedPage(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = try await MailList(context.services).page(input.state, skipping: input.page.skipped, limit: input.page.perPage)
        guard !found.mails.isEmpty else { return .nothing }
        return .json([
            "mails": .array(found.mails.map { mail($0, context) }), "info": input.page.info(found.mails.count, more: found.more),
        ])
    }

    private static func mail(_ mail: MailReport, _ context: RequestContext) -> JSONValue {
        func time(_ instant: Instant?) -> JSONValue {
            instant.map { .string($0.iso(offsetMinutes: context.zone.offsetMinutes(at: $0))) } ?? .null
        }
        return [
            "id": .id(mail.id), "state": .string(mail.state.rawValue), "to": .string(mail.to), "subject": .string(mail.subject),
            "content": .string(mail.text), "created_time": time(mail.createdAt), "sent_time": time(mail.sentAt),
            "attempts": .integer(mail.attempts), "error": mail.error.map { .string($0) } ?? .null,
        ]
    }
}

/// Mails; an extension of ours.
let mailEndpoints: [any Endpoint.Type] = [ListMails.self]
