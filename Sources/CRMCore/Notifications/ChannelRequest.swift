import Metadata
import Wire

/// What a caller wants of one channel. What is not given is `nil`.
package struct ChannelRequest: Sendable {
    package enum Action: Sendable {
        /// A new channel, or other settings for one that is there; modules not named stay as they are.
        case enable
        /// As if the channel were new.
        case replace
        /// What is given changes, the rest stays.
        case update
        /// The events given are told no more.
        case drop
    }

    package let action: Action
    package let number: Int64
    package var url: OutgoingURL?
    /// Given, perhaps as nothing.
    package var token: String??
    package var expiresAt: Instant??
    package var related: Bool?
    package var withValues: Bool?
    package var events: [ModuleID: ChannelEvents] = [:]
    /// In the order they were named.
    package var modules: [ModuleID] = []
    package var conditions: [ModuleID: FieldSelection]?

    package init(_ action: Action, _ number: Int64) {
        self.action = action
        self.number = number
    }

    /// The channel as it shall be; `nil` when the request needs one that is not there.
    func apply(to old: Channel?, id: RecordID, user: UserID, origin: String, now: Instant) -> Channel? {
        switch action {
        case .enable: return url.map { made(old, id, user, $0, origin, now, keeping: old?.subscriptions ?? []) }
        case .replace: return old.flatMap { old in url.map { made(old, id, user, $0, origin, now, keeping: []) } }
        case .update:
            guard var channel = old else { return nil }
            channel.url = url ?? channel.url
            if let token { channel.token = token }
            if let expiresAt { channel.expiresAt = Channel.expiry(expiresAt, now: now) }
            channel.related = related ?? channel.related
            channel.withValues = withValues ?? channel.withValues
            channel.origin = origin
            channel.subscriptions = merged(channel.subscriptions)
            return channel
        case .drop:
            guard var channel = old, modules.allSatisfy({ channel.subscription($0) != nil }) else { return nil }
            channel.subscriptions = channel.subscriptions.compactMap { subscription in
                var subscription = subscription
                subscription.events.subtract(events[subscription.module] ?? [])
                return subscription.events.isEmpty ? nil : subscription
            }
            return channel
        }
    }

    private func made(
        _ old: Channel?, _ id: RecordID, _ user: UserID, _ url: OutgoingURL, _ origin: String, _ now: Instant,
        keeping: [Channel.Subscription]
    ) -> Channel {
        Channel(
            id: old?.id ?? id, user: user, number: number, url: url, token: token ?? nil,
            expiresAt: Channel.expiry(expiresAt ?? nil, now: now), related: related ?? true, withValues: withValues ?? false,
            origin: origin,
            since: old?.since ?? now, subscriptions: merged(keeping))
    }

    /// Modules named get the events named, and the conditions given.
    private func merged(_ old: [Channel.Subscription]) -> [Channel.Subscription] {
        var subscriptions = old.map { subscription in
            var subscription = subscription
            subscription.events = events[subscription.module] ?? subscription.events
            let isNamed = events[subscription.module] != nil && action != .update
            if conditions != nil || isNamed { subscription.condition = conditions?[subscription.module] }
            return subscription
        }
        for module in modules where !old.contains(where: { $0.module == module }) {
            subscriptions.append(.init(module, events[module] ?? .all, conditions?[module]))
        }
        return subscriptions
    }
}
