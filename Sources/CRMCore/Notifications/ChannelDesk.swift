import Metadata
import SQLStore
import Wire

/// The channels of one user, for the calls that list and change them.
package struct ChannelDesk: Sendable {
    let services: Services
    let user: UserID

    package init(_ services: Services, _ user: UserID) {
        self.services = services
        self.user = user
    }

    /// A channel for each module it is told of, and whether there are more.
    package func list(number: Int64?, module: ModuleID?, skipping: Int, limit: Int) async throws -> (channels: [Channel], more: Bool) {
        let now = services.clock()
        let named: SQL = number.map { " AND ch.number = \(.integer($0))" } ?? ""
        let within: SQL = module.map { " AND s.module_id = \(.integer($0.raw))" } ?? ""
        let condition: SQL = "ch.user_id = \(.integer(user.raw))\(named)\(within)"
        let page: SQL = " LIMIT \(.integer(Int64(limit) + 1)) OFFSET \(.integer(Int64(skipping)))"
        let found = try await services.database.run(.read) { tx in try Channels.find(condition, now: now, page: page, tx) }
        let single = found.flatMap { channel in
            channel.subscriptions.map { subscription in
                var one = channel
                one.subscriptions = [subscription]
                return one
            }
        }
        return (Array(single.prefix(limit)), single.count > limit)
    }

    /// Carries out what is asked of each channel, one after the other; what is refused leaves the others alone. The answers hold
    /// the channels as they are then, or as they were of those that ended.
    package func carryOut(_ requests: [Result<ChannelRequest, Rejection>], origin: String) async throws -> [Result<Channel, Rejection>] {
        let now = services.clock()
        let user = user
        let ids = services.ids
        return try await services.database.run(.write) { tx in
            try Self.lock(user, tx)
            var isChanged = false
            let results = try requests.map { asked -> Result<Channel, Rejection> in
                let request: ChannelRequest
                switch asked {
                case .success(let wanted): request = wanted
                case .failure(let refusal): return .failure(refusal)
                }
                let old = try Channels.find(request.number, of: user, now: now, tx)
                guard let channel = request.apply(to: old, id: ids.next(), user: user, origin: origin, now: now) else {
                    return .failure(.notSubscribed(request.number))
                }
                if old == nil, try Self.count(user, tx) >= Channel.mostOfAUser {
                    return .failure(Rejection(.limitReached, .other("limit", .integer(Channel.mostOfAUser))))
                }
                if channel.subscriptions.isEmpty {
                    try Channels.remove([channel.id], tx)
                } else {
                    try Channels.store(channel, tx)
                }
                isChanged = true
                return .success(channel)
            }
            if isChanged { try Channels.bump(ids, tx) }
            return results
        }
    }

    /// Ends channels. The answers hold them as they were.
    package func end(_ numbers: [Int64]) async throws -> [Result<Channel, Rejection>] {
        let now = services.clock()
        let user = user
        let ids = services.ids
        return try await services.database.run(.write) { tx in
            try Self.lock(user, tx)
            let results = try numbers.map { number -> Result<Channel, Rejection> in
                guard let channel = try Channels.find(number, of: user, now: now, tx) else { return .failure(.notSubscribed(number)) }
                try Channels.remove([channel.id], tx)
                return .success(channel)
            }
            try Channels.bump(ids, tx)
            return results
        }
    }

    private static func count(_ user: UserID, _ tx: Transaction) throws -> Int {
        try tx.first("SELECT count(*) FROM sys_channel WHERE user_id = \(.integer(user.raw))") { Int($0.integer(0) ?? 0) } ?? 0
    }

    /// One after another for each user: a channel asked for twice at once is made once.
    private static func lock(_ user: UserID, _ tx: Transaction) throws { try tx.advisoryLock(0x7761_7463 ^ user.raw, exclusive: true) }
}

extension Rejection {
    /// There is no such channel of the caller's, or not on that module, or not any more.
    package static func notSubscribed(_ number: Int64) -> Rejection {
        Rejection(.notSubscribed, .other("channel_id", .string(String(number))))
    }
}
