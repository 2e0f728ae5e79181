import CRMCore
import HTTPShell
import Metadata
import Wire

/// Which page, and of which channel if not of all the caller's.
private struct ChannelPage: Sendable {
    let page: NumberedPage
    let number: Int64?
    let desk: ChannelDesk

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        desk = ChannelDesk(context.services, context.access.user)
        page = try NumberedPage(request)
        guard let text = request.query("channel_id"), !text.isEmpty else {
            number = nil
            return
        }
        guard let id = RecordID(text) else { throw Rejection(.unableToParseDataType, .parameter("channel_id")) }
        number = id.raw
    }

    func reply(_ key: String, _ items: [JSONValue], more: Bool) -> Reply {
        items.isEmpty ? .nothing : .json(.object([.init(key, .array(items)), .init("info", page.info(items.count, more: more))]))
    }
}

/// The caller's channels, one line for each module. Contract: notifications, 253.
enum ListNotifications: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/actions/watch", entry: "253", scope: .fixed(["ZohoCRM.notifications.READ"]))

    struct Input: EndpointInput {
        fileprivate let place: ChannelPage
        let module: Module?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            place = try ChannelPage(request, context)
            module = try request.query("module").flatMap { $0.isEmpty ? nil : $0 }.map { name throws(Rejection) in
                guard let module = context.catalog.watched(name) else {
                    throw Rejection(.invalidModule, .parameter("module"))
                }
                return module
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let place = input.place
        let found = try await place.desk.list(
            number: place.number, module: input.module?.id, skipping: place.page.skipped, limit: place.page.perPage)
        return place.reply("watch", found.channels.map(ChannelAnswers(context: context).listed), more: found.more)
    }
}

/// What the caller's channels have not been told yet, or were given up. An extension of ours.
enum ListDeliveries: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/actions/watch/deliveries", entry: "", scope: .fixed(["ZohoCRM.notifications.READ"]))

    struct Input: EndpointInput {
        fileprivate let place: ChannelPage
        let state: String?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            place = try ChannelPage(request, context)
            state = request.query("state").flatMap { $0.isEmpty ? nil : $0 }
            if let state, !ChannelDesk.states.contains(state) {
                throw Rejection(.invalidData, .parameter("state"), .supportedValues(ChannelDesk.states))
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let place = input.place
        let found = try await place.desk.deliveries(
            number: place.number, state: input.state, skipping: place.page.skipped, limit: place.page.perPage)
        let shown = found.list.map { delivery -> JSONValue in
            [
                "id": .string(String(delivery.id)), "channel_id": .string(String(delivery.channel)),
                "module": context.catalog.module(id: delivery.module).map { .string(Channel.name(of: $0)) } ?? .null,
                "record_id": .id(delivery.record), "operation": .string(delivery.operation), "state": .string(delivery.state),
                "attempts": .integer(delivery.attempts), "error": delivery.error.map(JSONValue.string) ?? .null,
                "time": context.shown(delivery.at), "next_attempt": context.shown(delivery.nextAttempt),
            ]
        }
        return place.reply("deliveries", shown, more: found.more)
    }
}

let notificationEndpoints: [any Endpoint.Type] = [
    ListNotifications.self, EnableNotifications.self, UpdateNotifications.self, ReplaceNotifications.self, DisableNotifications.self,
    ListDeliveries.self,
]
