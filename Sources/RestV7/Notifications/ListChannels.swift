import CRMCore
import HTTPShell
import Metadata
import Wire

extension ParsedRequest {
    fileprivate func channelNumber() throws(Rejection) -> Int64? {
        guard let text = query("channel_id"), !text.isEmpty else { return nil }
        guard let id = RecordID(text) else { throw Rejection(.unableToParseDataType, .parameter("channel_id")) }
        return id.raw
    }
}

/// The caller's channels, one line for each module. Contract: notifications, 253.
enum ListNotifications: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/actions/watch", entry: "253", scope: .fixed(["ZohoCRM.notifications.READ"]))

    struct Input: EndpointInput {
        let page: NumberedPage
        let number: Int64?
        let module: Module?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            page = try NumberedPage(request)
            number = try request.channelNumber()
            module = try request.query("module").flatMap { $0.isEmpty ? nil : $0 }.map { name throws(Rejection) in
                guard let module = context.catalog.watched(name) else {
                    throw Rejection(.invalidModule, .parameter("module"))
                }
                return module
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = try await ChannelDesk(context.services, context.access.user).list(
            number: input.number, module: input.module?.id, skipping: input.page.skipped, limit: input.page.perPage)
        guard !found.channels.isEmpty else { return .nothing }
        return .json([
            "watch": .array(found.channels.map(ChannelAnswers(context: context).listed)),
            "info": input.page.info(found.channels.count, more: found.more),
        ])
    }
}

/// What the caller's channels have not been told yet, or were given up. An extension of ours.
enum ListDeliveries: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/actions/watch/deliveries", entry: "", scope: .fixed(["ZohoCRM.notifications.READ"]))

    struct Input: EndpointInput {
        let page: NumberedPage
        let number: Int64?
        let state: String?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            page = try NumberedPage(request)
            number = try request.channelNumber()
            state = request.query("state").flatMap { $0.isEmpty ? nil : $0 }
            if let state, !ChannelDesk.states.contains(state) {
                throw Rejection(.invalidData, .parameter("state"), .supportedValues(ChannelDesk.states))
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = try await ChannelDesk(context.services, context.access.user).deliveries(
            number: input.number, state: input.state, skipping: input.page.skipped, limit: input.page.perPage)
        guard !found.list.isEmpty else { return .nothing }
        let shown = found.list.map { delivery -> JSONValue in
            [
                "id": .string(String(delivery.id)), "channel_id": .string(String(delivery.channel)),
                "module": context.catalog.module(id: delivery.module).map { .string(Channel.name(of: $0)) } ?? .null,
                "record_id": .id(delivery.record), "operation": .string(delivery.operation), "state": .string(delivery.state),
                "attempts": .integer(delivery.attempts), "error": delivery.error.map(JSONValue.string) ?? .null,
                "time": context.shown(delivery.at), "next_attempt": context.shown(delivery.nextAttempt),
            ]
        }
        return .json(["deliveries": .array(shown), "info": input.page.info(found.list.count, more: found.more)])
    }
}

let notificationEndpoints: [any Endpoint.Type] = [
    ListNotifications.self, EnableNotifications.self, UpdateNotifications.self, ReplaceNotifications.self, DisableNotifications.self,
    ListDeliveries.self,
]
