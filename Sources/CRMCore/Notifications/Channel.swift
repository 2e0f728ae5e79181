import Metadata
import Wire

/// Where a user has himself told of what happens to records, and until when. Contract: notifications, 253 to 258.
package struct Channel: Sendable {
    package let id: RecordID
    package let user: UserID
    /// The number its user gave it.
    package let number: Int64
    package var url: OutgoingURL
    package var token: String?
    package var expiresAt: Instant
    /// Whether records are told of too when something happens to others that point at them.
    package var related: Bool
    /// Whether the values of the fields concerned are sent along.
    package var withValues: Bool
    /// Our own address as the user reaches it.
    package var origin: String
    /// What happened before is not told.
    let since: Instant
    package var subscriptions: [Subscription] = []

    /// What of one module a channel is told.
    package struct Subscription: Sendable {
        package let module: ModuleID
        package var events: ChannelEvents
        /// Which fields must have changed; `nil` when any will do.
        package var condition: FieldSelection?

        package init(_ module: ModuleID, _ events: ChannelEvents, _ condition: FieldSelection? = nil) {
            self.module = module
            self.events = events
            self.condition = condition
        }
    }

    func subscription(_ module: ModuleID) -> Subscription? { subscriptions.first { $0.module == module } }

    /// The usual lifetime, and the longest one; who asks for more gets the usual one.
    package static let usualLifetime: Int64 = 3_600_000, longestLifetime: Int64 = 7 * 24 * 3_600_000
    package static let tokenLength = 50
    /// Channels of one user. The API names no limit; without one a loop gone wrong would tell itself everything thousandfold.
    static let mostOfAUser = 1000

    static func expiry(_ asked: Instant?, now: Instant) -> Instant {
        guard let asked, asked.milliseconds <= now.milliseconds + longestLifetime else {
            return Instant(milliseconds: now.milliseconds + usualLifetime)
        }
        return asked
    }

    private static let modules: Set<String> = [
        "Leads", "Accounts", "Contacts", "Deals", "Campaigns", "Tasks", "Cases", "Events", "Calls", "Solutions", "Products", "Vendors",
        "Price_Books", "Quotes", "Sales_Orders", "Purchase_Orders", "Invoices", "Appointments__s", "Appointments_Rescheduled_History__s",
        "Services__s",
    ]

    /// Whether the module can be watched.
    package static func supports(_ module: Module) -> Bool {
        module.isUsers || module.table != nil && (modules.contains(module.apiName) || module.generatedType == "custom")
    }

    /// The name of a module in events and calls (`users.all`: the page "Enable Notifications").
    package static func name(of module: Module) -> String { module.isUsers ? "users" : module.apiName }

    /// Whether what happens to records of the module is told of the records they point at.
    static func tellsOthers(_ module: Module) -> Bool {
        !module.isUsers && supports(module) || ["Notes", "Attachments"].contains(module.apiName)
    }
}

/// What may happen to a record.
package struct ChannelEvents: OptionSet, Sendable, Hashable {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }

    package static let create = ChannelEvents(rawValue: 1)
    package static let edit = ChannelEvents(rawValue: 2)
    package static let delete = ChannelEvents(rawValue: 4)
    package static let all: ChannelEvents = [.create, .edit, .delete]

    package static let names: [(name: String, events: ChannelEvents)] = [
        ("create", .create), ("edit", .edit), ("delete", .delete), ("all", .all),
    ]

    /// As they are named in a subscription.
    package var shown: [String] {
        self == .all ? ["all"] : Self.names.filter { $0.events != .all && contains($0.events) }.map(\.name)
    }
}

/// What was done to a record, as notifications say it.
enum ChangeOperation: String, Sendable {
    case insert, update, delete

    var events: ChannelEvents {
        switch self {
        case .insert: .create
        case .update: .edit
        case .delete: .delete
        }
    }
}

extension Module {
    /// The people of the organisation, who are documents of the catalog and no records.
    package var isUsers: Bool { apiName == "Users" }
}
