import Metadata
import SQLStore
import Wire

/// Turns the feed into deliveries: finds out who is to be told of what, with the rights of each.
///
/// What is to be told is found in a read transaction; the write that follows takes the same entries off the feed, all of them or
/// none. So writers wait for two statements only, and of several processes that read the same entries one has its way.
struct FanOut {
    /// Entries at a time.
    private static let limit: Int64 = 200

    private let services: Services

    init(_ services: Services) { self.services = services }

    /// Until the feed is empty, or another process is at it.
    func run() async {
        while !Task.isCancelled {
            let taken = try? await step()
            guard taken == true else { return }
        }
    }

    private struct Plan: Sendable {
        let sequences: [Int64]
        let deliveries: [Delivery]
    }

    private struct Delivery: Sendable {
        let channel: RecordID
        let module: ModuleID
        let record: RecordID
        let operation: ChangeOperation
        let payload: JSONValue
        let at: Instant
    }

    /// Whether something was done.
    private func step() async throws -> Bool {
        let catalog = services.catalog.current()
        let services = services
        let now = services.clock()
        let plan = try await services.database.run(.read) { tx in try Self.plan(services, catalog, now: now, tx) }
        guard !plan.sequences.isEmpty else { return false }
        return try await services.database.run(.write) { tx in
            let gone = try tx.execute("DELETE FROM sys_feed WHERE \(.memberIDs("sequence", plan.sequences))")
            guard gone == plan.sequences.count else { throw TakenByOther() }
            try DeliveryQueue.insert(
                plan.deliveries.map { delivery in
                    [
                        .id(delivery.channel), .integer(delivery.module.raw), .id(delivery.record), .text(delivery.operation.rawValue),
                        .text(Self.kept(delivery, catalog)), "waiting", .integer(delivery.at.milliseconds),
                    ]
                }, tx)
            try DeliveryQueue.makeDue(Set(plan.deliveries.map(\.channel)), now: now, tx)
            return true
        }
    }

    /// Values of encrypted fields wait sealed, as they stand in the record.
    private static func kept(_ delivery: Delivery, _ catalog: Catalog) -> String {
        let text = delivery.payload.text
        guard delivery.payload["values"] != nil, catalog.module(id: delivery.module)?.fields.contains(where: \.isEncrypted) == true else {
            return text
        }
        return catalog.vault?.seal(text: text) ?? text
    }

    /// Another process told the same.
    private struct TakenByOther: Error {}

    private static func plan(_ services: Services, _ catalog: Catalog, now: Instant, _ tx: Transaction) throws -> Plan {
        var reader = try EventReader(catalog, limit: limit, tx)
        guard !reader.sequences.isEmpty else { return Plan(sequences: [], deliveries: []) }
        let channels = try Channels.find("\(.memberIDs("s.module_id", reader.reach.map(\.raw).sorted()))", now: now, tx)
        guard !channels.isEmpty else { return Plan(sequences: reader.sequences, deliveries: []) }
        try reader.loadRows(tx)
        let around = channels.filter(\.related).flatMap { $0.subscriptions.filter { $0.events.contains(.edit) }.map(\.module) }
        reader.addRelated(watched: Set(around))
        var deliveries: [Delivery] = []
        var views: [UserID: ChannelView] = [:]
        for channel in channels {
            let told = reader.events.filter { wants(channel, $0, reader) }
            guard !told.isEmpty else { continue }
            if views[channel.user] == nil { views[channel.user] = ChannelView(channel.user, catalog, services) }
            for event in told {
                guard let payload = try views[channel.user]?.payload(event, reader, withValues: channel.withValues, tx) else { continue }
                deliveries.append(
                    Delivery(
                        channel: channel.id, module: event.module.id, record: event.record, operation: event.operation, payload: payload,
                        at: event.at))
            }
        }
        return Plan(sequences: reader.sequences, deliveries: deliveries)
    }

    private static func wants(_ channel: Channel, _ event: ChangeEvent, _ reader: EventReader) -> Bool {
        guard let subscription = channel.subscription(event.module.id), subscription.events.contains(event.operation.events),
            event.at >= channel.since, channel.related || !event.isRelated
        else { return false }
        guard let condition = subscription.condition else { return true }
        switch event.operation {
        // It concerns every field there is.
        case .delete: return true
        case .insert: return condition.holds(Set(reader.filled(event.record).map(\.id)))
        case .update: return condition.holds(Set(event.fields.map(\.id)))
        }
    }
}
