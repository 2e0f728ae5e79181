import Metadata
import SQLStore
import Wire

/// What a change of settings did to users, told to the one change log, and so to the channels that watch them. Users are documents of
/// the catalog: what happened is what differs between the catalog before and after.
struct UserChanges {
    private let module: Module
    private let entries: [ChangeLog.Entry]

    /// `nil` when no user is another.
    init?(from before: Catalog, to after: Catalog) {
        // The first users of all come with their organisation.
        guard let module = after.module("Users"), !before.users.isEmpty else { return nil }
        let known = Dictionary(before.users.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.module = module
        entries = after.users.compactMap { Self.entry(known[$0.id], $0, module) }
        if entries.isEmpty { return nil }
    }

    private static func entry(_ old: User?, _ new: User, _ module: Module) -> ChangeLog.Entry? {
        let id = RecordID(raw: new.id.raw)
        guard let old else { return .init(module.id, id, .added, after: .object(values(new, fields(module)))) }
        guard old.body != new.body else { return nil }
        if new.status == "deleted", old.status != "deleted" { return .init(module.id, id, .deleted) }
        let changed = fields(module).filter { (old.body[$0.apiName] ?? .null) != (new.body[$0.apiName] ?? .null) }
        guard !changed.isEmpty else { return nil }
        return .init(module.id, id, .updated, before: .object(values(old, changed)), after: .object(values(new, changed)))
    }

    private static func fields(_ module: Module) -> [Field] {
        module.fields.filter { !TimelineRow.stamps.contains($0.apiName) && $0.apiName != "id" }
    }

    /// By field id; what refers to something is the id of it.
    private static func values(_ user: User, _ fields: [Field]) -> [JSONValue.Member] {
        fields.map { field in
            let value = user.body[field.apiName] ?? .null
            return .init(String(field.id.raw), value["id"] ?? value)
        }
    }

    func log(by user: UserID, group: RecordID, at now: Instant, bell: FeedBell, _ tx: Transaction) throws {
        let watched: SQL = "SELECT 1 FROM sys_subscription WHERE module_id = \(.integer(module.id.raw)) LIMIT 1"
        let isWatched = try tx.first(watched) { _ in true } ?? false
        let feed = isWatched ? ChangeFeed(modules: [module.id], bell: bell) : .closed
        try ChangeLog.append(entries, by: .init(group: group, user: user, origin: .api, at: now), feed: feed, tx)
    }
}

extension UserChanges {
    /// The fields of a user that hold something.
    static func filled(_ user: User, _ catalog: Catalog) -> [Field] {
        catalog.module("Users").map { fields($0).filter { field in user.body[field.apiName].map { !$0.isNull } ?? false } } ?? []
    }

    /// What a channel is told of a user. Everybody in the organisation sees who is in it.
    static func payload(_ event: ChangeEvent, withValues: Bool, _ catalog: Catalog) -> JSONValue? {
        guard let user = catalog.user(UserID(raw: event.record.raw)) else { return nil }
        guard event.operation != .update || !event.fields.isEmpty else { return nil }
        var payload: JSONValue = ["fields": .array(event.fields.map { .string($0.apiName) })]
        if withValues, event.operation != .delete {
            let told = event.operation == .insert ? filled(user, catalog) : event.fields
            payload["values"] = .object(told.map { .init($0.apiName, user.body[$0.apiName] ?? .null) })
        }
        return payload
    }
}
