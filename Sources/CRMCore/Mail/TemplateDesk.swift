import Metadata
import SQLStore
import Wire

extension Services {
    /// A page of templates.
    package func templates(
        _ filter: TemplateStore.Filter, for user: UserID, order: TemplateStore.Order, descending: Bool, skipping: Int, limit: Int
    ) async throws -> [Template] {
        try await database.run(.read) { tx in
            try TemplateStore.page(filter, for: user, order: order, descending: descending, skipping: skipping, limit: limit, tx)
        }
    }

    package func template(_ id: RecordID, _ kind: Template.Kind) async throws -> Template? {
        try await database.run(.read) { tx in try TemplateStore.find(id, kind, tx) }
    }

    /// Carries out what a call asks for each item; one that is refused leaves nothing behind.
    package func changeTemplates<Item: Sendable>(
        _ items: [Item], _ work: @Sendable @escaping (Item, Transaction) throws -> JSONValue
    ) async throws -> [Result<JSONValue, Rejection>] {
        try await database.run(.write) { tx in
            try items.map { item in
                do {
                    var result: JSONValue = .null
                    try tx.savepoint { result = try work(item, tx) }
                    return .success(result)
                } catch let refusal as Rejection {
                    return .failure(refusal)
                }
            }
        }
    }

    /// Where templates of mails have places for links to unsubscribe by: the link's id, and the templates.
    package func unsubscribePlaces() async throws -> [(link: RecordID, templates: [Template])] {
        let catalog = catalog.current()
        let templates = try await database.run(.read) { tx in try TemplateStore.withUnsubscribeLinks(tx) }
        var places: [RecordID: [Template]] = [:]
        for template in templates {
            let links = Set(UnsubscribePlaces.names(in: template.content).compactMap { UnsubscribePlaces.link($0, catalog)?.id })
            for link in links { places[link, default: []].append(template) }
        }
        return places.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension UnsubscribeToken {
    /// The receiver wants no more mails: the record of the mail says so from now on, or the contact that it belongs to and that has the
    /// address. Returns whether there was anybody to say it of.
    package func unsubscribe(_ services: Services) async throws -> Bool {
        let catalog = services.catalog.current()
        let access = AccessPolicy.system("a receiver unsubscribes, by a link only he has")
        let address = address
        let id = email
        return try await services.write(catalog, access, .system) { scope in
            guard let email = try Emails.find(id, scope.tx), let module = scope.catalog.module(id: email.place.module)?.whole else {
                return false
            }
            let planner = Planner(scope.catalog, scope.access)
            guard let record = try planner.rows([email.place.record], of: module, for: .edit, scope.tx)[email.place.record] else {
                return false
            }
            let wanted = MailAddress(address).map { [Mailbox(nil, $0)] } ?? []
            let people = try EmailReceivers(record, naming: wanted, scope).holders(of: address)
            for (group, ids) in Dictionary(grouping: people, by: { $0.module.id }).sorted(by: { $0.key < $1.key }) {
                guard let owner = scope.catalog.module(id: group)?.whole, let optOut = owner.field("Email_Opt_Out") else { continue }
                let rows = try planner.rows(ids.map(\.id), of: owner, for: .edit, scope.tx)
                for row in rows.values where row[optOut].integer != 1 && row.heldByMerge == nil {
                    var after = row
                    after[optOut] = .integer(1)
                    after["Unsubscribed_Mode"] = .text("Manual")
                    after["Unsubscribed_Time"] = .integer(scope.now.milliseconds)
                    try services.records.save(after, before: row, scope)
                }
            }
            return !people.isEmpty
        }
    }
}
