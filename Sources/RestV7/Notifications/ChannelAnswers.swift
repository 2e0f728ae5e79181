import CRMCore
import HTTPShell
import Metadata
import Wire

/// Channels as answers show them. Contract: notifications, 253 to 258.
struct ChannelAnswers {
    let context: RequestContext

    /// The module of a subscription, as every answer names it.
    func resource(_ module: ModuleID, _ channel: Channel, named: Bool = true) -> JSONValue {
        let name = context.catalog.module(id: module).map(Channel.name) ?? ""
        var shown: JSONValue = [
            "resource_uri": .string("\(channel.origin)/crm/v7/\(name)"), "resource_id": .string(String(module.raw)),
        ]
        if named { shown["resource_name"] = .string(name) }
        shown["channel_id"] = .string(String(channel.number))
        return shown
    }

    func event(_ subscription: Channel.Subscription, _ channel: Channel) -> JSONValue {
        var shown: JSONValue = ["channel_expiry": context.shown(channel.expiresAt)]
        for member in resource(subscription.module, channel).members ?? [] { shown[member.name] = member.value }
        if let condition = condition(subscription) { shown["notification_condition"] = condition }
        return shown
    }

    /// A line of the list.
    func listed(_ channel: Channel) -> JSONValue {
        guard let subscription = channel.subscriptions.first else { return .null }
        let name = context.catalog.module(id: subscription.module).map(Channel.name) ?? ""
        var shown: JSONValue = [
            "notify_on_related_action": .bool(channel.related), "return_affected_field_values": .bool(channel.withValues),
            "channel_expiry": context.shown(channel.expiresAt),
        ]
        for member in resource(subscription.module, channel).members ?? [] { shown[member.name] = member.value }
        shown["notify_url"] = .string(channel.url.text)
        shown["events"] = .array(subscription.events.shown.map { .string("\(name).\($0)") })
        shown["fields"] = .null
        if let condition = condition(subscription) { shown["notification_condition"] = condition }
        shown["token"] = channel.token.map(JSONValue.string) ?? .null
        return shown
    }

    private func condition(_ subscription: Channel.Subscription) -> JSONValue? {
        guard let condition = subscription.condition, let module = context.catalog.module(id: subscription.module) else { return nil }
        return [["type": "field_selection", "module": module.shown, "field_selection": selection(condition, module)]]
    }

    private func selection(_ selection: FieldSelection, _ module: Module) -> JSONValue {
        switch selection {
        case .field(let id):
            ["field": ["api_name": .string(module.field(id)?.apiName ?? ""), "id": .string(String(id.raw))]]
        case .all(let parts): ["group_operator": "and", "group": .array(parts.map { self.selection($0, module) })]
        case .any(let parts): ["group_operator": "or", "group": .array(parts.map { self.selection($0, module) })]
        }
    }

    /// The answer to a change of channels, item by item. Some good and some refused is 202 here.
    func reply(
        _ requests: [Result<ChannelRequest, Rejection>], _ results: [Result<Channel, Rejection>], success: Int
    ) -> Reply {
        let shown = zip(requests, results).map { request, result in
            result.map { channel -> JSONValue in
                guard case .success(let request) = request else { return .null }
                let details: JSONValue = ["events": .array(events(request, channel))]
                return .success(Self.message(request.action), details: details)
            }
        }
        return Self.mixed(.items("watch", shown, success: success))
    }

    static func mixed(_ reply: Reply) -> Reply {
        var reply = reply
        if reply.status == 207 { reply.status = 202 }
        return reply
    }

    private func events(_ request: ChannelRequest, _ channel: Channel) -> [JSONValue] {
        switch request.action {
        case .drop: request.modules.map { resource($0, channel) }
        case .update: channel.subscriptions.map { event($0, channel) }
        case .enable, .replace:
            request.modules.compactMap { module in channel.subscriptions.first { $0.module == module } }.map { event($0, channel) }
        }
    }

    private static func message(_ action: ChannelRequest.Action) -> String {
        switch action {
        case .enable, .replace: "Successfully subscribed for actions-watch of the given module"
        case .update: "Successfully updated the subscribe details"
        case .drop: "Successfully removed the subscribe details"
        }
    }
}
