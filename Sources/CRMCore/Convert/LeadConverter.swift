import Metadata
import SQLStore
import Wire

/// Turns a lead into a contact, an account and a deal, all of it in the transaction it is given. Contract: convert-lead, 135;
/// `metadata/conversions.md`.
package struct LeadConverter {
    package struct Outcome: Sendable {
        package let contact: Record
        package let account: Record?
        package let deal: Record?
    }

    private struct Modules {
        let leads: Module, accounts: Module, contacts: Module, deals: Module

        init(_ catalog: Catalog) throws(Rejection) {
            guard let leads = catalog.module("Leads"), let accounts = catalog.module("Accounts"), let contacts = catalog.module("Contacts"),
                let deals = catalog.module("Deals")
            else { throw .invalidModule() }
            (self.leads, self.accounts, self.contacts, self.deals) = (leads, accounts, contacts, deals)
        }
    }

    /// The records that are there already and take part.
    private struct Taken: Equatable {
        var account: RecordID?
        var contact: RecordID?
        var deal: RecordID?
    }

    private let order: LeadOrder
    private let records: RecordStore
    private let scope: WriteScope
    private let modules: Modules

    package init(_ order: LeadOrder, _ records: RecordStore, _ scope: WriteScope) throws {
        self.order = order
        self.records = records
        self.scope = scope
        modules = try Modules(scope.catalog)
    }

    /// Refusals about the lead itself name its place in the path; all others their place in the body.
    package func convert(_ id: RecordID) throws -> Outcome {
        try scope.access.require(.convert, modules.leads)
        let planner = Planner(scope.catalog, scope.access)
        let shown = try planner.rows([id], of: modules.leads, for: .convert, locked: false, scope.tx)
        guard let seen = shown[id] else { throw shown.refusal(of: id, else: .invalidPathID(1)) }
        // What others point at is locked before what points at it, as every writer does.
        var taken = try taken(for: seen)
        var held = try hold(taken)
        guard let lead = try planner.rows([id], of: modules.leads, for: .convert, removing: true, scope.tx)[id] else {
            throw Rejection.invalidPathID(1)
        }
        try refuseByState(lead)
        if lead != seen {
            let now = try self.taken(for: lead)
            if now != taken { (taken, held) = (now, try hold(now)) }
        }
        return try carryOut(lead, held)
    }

    private func refuseByState(_ lead: Record) throws(Rejection) {
        if lead.heldByMerge != nil { throw Rejection(.recordLocked, .resourcePathIndex(1)) }
        if lead.isConverted { throw Rejection(.idAlreadyConverted, .resourcePathIndex(1)) }
        do throws(Rejection) {
            try LockingConfiguration.refuse(.convert, on: lead, scope)
        } catch {
            throw Rejection(
                .recordLocked, message: "You cannot perform this operation as the record is locked.", .resourcePathIndex(1))
        }
    }

    // MARK: What is there already

    /// Records the caller names; else those that match; a contact brings its account.
    private func taken(for lead: Record) throws -> Taken {
        var taken = Taken(account: order.account?.id, contact: order.contact?.id, deal: order.deal?.id)
        let matchesContact = order.contact == nil
        let matchesAccount = order.account == nil
        guard matchesContact || matchesAccount else { return taken }
        let matches = try LeadMatches.find(lead, unique: order.takesDuplicates, scope.catalog, scope.access, scope.tx)
        if matchesContact { taken.contact = try contact(among: matches, lead) }
        if matchesAccount {
            taken.account = try taken.contact.flatMap { try account(ofContact: $0) } ?? matches.accounts.ids.first
        }
        return taken
    }

    /// The oldest match. A name alone is no match for somebody who has another address.
    private func contact(among matches: LeadMatches, _ lead: Record) throws -> RecordID? {
        guard matches.onlyByName, !lead["Email"].isNull else { return matches.contacts.ids.first }
        let rows = try Planner(scope.catalog, scope.access).rows(
            matches.contacts.ids, of: modules.contacts, for: .view, locked: false, scope.tx)
        return matches.contacts.ids.first { id in rows[id].map { $0["Email"].isNull } ?? false }
    }

    private func account(ofContact id: RecordID) throws -> RecordID? {
        let row = try Planner(scope.catalog, scope.access).rows([id], of: modules.contacts, for: .view, locked: false, scope.tx)[id]
        guard let account = row?["Account_Name"].integer.map(RecordID.init(raw:)) else { return nil }
        let there = try Planner(scope.catalog, scope.access).rows([account], of: modules.accounts, for: .view, locked: false, scope.tx)
        return there[account]?.id
    }

    private func hold(_ taken: Taken) throws -> Outcome.Held {
        let account = try hold(taken.account, of: modules.accounts, order.account)
        let contact = try hold(taken.contact, of: modules.contacts, order.contact)
        return .init(account: account, contact: contact, deal: try hold(taken.deal, of: modules.deals, order.deal))
    }

    private func hold(_ id: RecordID?, of module: Module, _ part: LeadOrder.Part?) throws -> Record? {
        guard let id else { return nil }
        try scope.access.require(.view, module)
        let rows = try Planner(scope.catalog, scope.access).rows([id], of: module, for: .edit, scope.tx)
        let row = rows[id]
        let path = part.map { $0.item.value["id"] == nil ? $0.item.path : $0.item.path.appending("id") } ?? order.path
        // A match that has gone meanwhile is none; one that the caller named is a mistake.
        if row == nil, part?.id != nil { throw rows.refusal(of: id, else: .unknownRecord(at: path)) }
        if row?.heldByMerge != nil { throw Rejection(.recordLocked, .apiName(path.name), .jsonPath(path)) }
        return row
    }

    // MARK: What is made

    private func carryOut(_ lead: Record, _ held: Outcome.Held) throws -> Outcome {
        let tags = try TagStore.names(of: lead.id, scope.tx)
        let account = try account(for: lead, held, tags)
        let contact = try contact(for: lead, held, account, tags)
        let deal = try deal(for: lead, held, account, contact, tags)
        try RecordTerritories.carry(from: lead, to: [account, contact, deal].compactMap(\.self), scope)
        if let owner = order.owner {
            for follower in order.followers { try OwnerChange(to: owner).follow(follower, of: modules.leads, [lead.id], scope) }
        }
        var moves = LeadMoves(lead: lead, contact: contact, account: account, deal: deal, records: records, scope: scope)
        moves.attachments = [account, deal].compactMap(\.self).first { $0.module.apiName == order.attachments } ?? contact
        moves.newAccount = held.account == nil
        moves.newDeal = held.deal == nil
        try moves.run()
        // The lead's calls are the contact's now.
        try Scoring.refresh([contact.id], of: contact.module, scope)
        try close(lead, contact, account, deal)
        if order.tellsLeadOwner { try Notices.converted(lead, into: [contact, account, deal].compactMap(\.self), scope) }
        if order.tellsNewOwners {
            let made = [held.contact == nil ? contact : nil, held.account == nil ? account : nil, held.deal == nil ? deal : nil]
            try Notices.made(made.compactMap(\.self), scope)
        }
        try invite(contact)
        return Outcome(contact: contact, account: account, deal: deal)
    }

    /// Who cannot be invited, because there is no address or a user already, is converted all the same.
    private func invite(_ contact: Record) throws {
        guard let type = order.portalUserType else { return }
        let invitation = PortalInvitation(.invite, as: type, language: "en_US", origin: order.origin)
        do { try scope.tx.savepoint { try invitation.send(to: contact.id, of: contact.module, scope) } } catch is Rejection {}
    }

    private func account(for lead: Record, _ held: Outcome.Held, _ tags: [String]) throws -> Record? {
        if let account = held.account { return try tagged(account, tags) }
        let company = lead["Company"].text ?? ""
        guard order.account != nil || !company.isEmpty else { return nil }
        return try make(modules.accounts, order.account, lead, tags)
    }

    private func contact(for lead: Record, _ held: Outcome.Held, _ account: Record?, _ tags: [String]) throws -> Record {
        guard let contact = held.contact else {
            return try make(modules.contacts, order.contact, lead, tags) { $0["Account_Name"] = .init(account?.id.raw) }
        }
        let current = contact["Account_Name"].integer
        // An account of its own is given up only when the caller names another and says so (`conversions.md`).
        let moves = current == nil || (order.overwrites && order.account != nil)
        guard let account, current != account.id.raw, moves else { return try tagged(contact, tags) }
        return try tagged(try change(contact, ["Account_Name": ["id": .id(account.id)]], "Contacts"), tags)
    }

    private func deal(for lead: Record, _ held: Outcome.Held, _ account: Record?, _ contact: Record, _ tags: [String]) throws -> Record? {
        guard let part = order.deal else { return nil }
        let deal: Record
        if let known = held.deal {
            var missing: JSONValue = [:]
            if known["Contact_Name"].isNull { missing["Contact_Name"] = ["id": .id(contact.id)] }
            if known["Account_Name"].isNull, let account { missing["Account_Name"] = ["id": .id(account.id)] }
            deal = try tagged((missing.members ?? []).isEmpty ? known : try change(known, missing, "Deals"), tags)
        } else {
            deal = try make(modules.deals, part, lead, tags) { record in
                record["Contact_Name"] = .integer(contact.id.raw)
                record["Account_Name"] = .init(account?.id.raw)
                record["Lead_Conversion_Time"] = .integer(days(of: lead))
            }
        }
        try join(contact, to: deal)
        return deal
    }

    /// The contact takes part in the deal, in the role the caller gave it.
    private func join(_ contact: Record, to deal: Record) throws {
        guard let list = scope.catalog.relatedList("Contact_Roles", of: deal.module.id),
            let relation = LinkRelation(list, of: deal.module, scope.catalog)
        else { return }
        var item: JSONValue = ["id": .id(contact.id)]
        if let role = order.role { item["Contact_Role"] = .id(role) }
        let path = order.deal?.item.path ?? order.path
        for outcome in try relation.join(deal.id, with: [JSONCursor(item, at: path)], records, scope) { _ = try outcome.get() }
    }

    private func make(
        _ module: Module, _ part: LeadOrder.Part?, _ lead: Record, _ tags: [String], _ complete: (inout Record) -> Void = { _ in }
    ) throws -> Record {
        var record = Record(module, id: scope.ids.next())
        let item = part?.item ?? JSONCursor([:], at: order.path.appending(module.apiName))
        try ConversionMapping(leads: modules.leads).fill(&record, from: lead, at: item.path)
        record["Owner"] = order.owner.map { .integer($0.id.raw) } ?? lead["Owner"]
        if !lead["Currency"].isNull { record["Currency"] = lead["Currency"] }
        complete(&record)
        let made = try records.add(item, to: record, tags: carried(tags, to: module), scope).get()
        guard let rule = order.assignment, rule.module == module.id, item.value["Owner"] == nil else { return made }
        return try RecordAssignment(rule, records, scope).apply(to: [made]).first ?? made
    }

    private func change(_ record: Record, _ values: JSONValue, _ name: String) throws -> Record {
        var item = values
        item["id"] = .id(record.id)
        let outcome = try records.update([JSONCursor(item, at: order.path.appending(name))], record.module, scope).first
        return try outcome?.get() ?? record
    }

    // MARK: Tags

    /// Those of the lead's tags that go along to records of a module.
    private func carried(_ tags: [String], to module: Module) -> [String] {
        switch order.tags {
        case .all(let modules): modules.contains(module.apiName) ? tags : []
        case .named(let named):
            tags.filter { tag in (named[module.apiName] ?? []).contains { TagDirectory.same($0, tag) } }
        }
    }

    /// A record that is there keeps its own tags, and gets as many more as it may carry.
    private func tagged(_ record: Record, _ tags: [String]) throws -> Record {
        let own = try TagStore.names(of: record.id, scope.tx)
        let more = carried(tags, to: record.module).filter { tag in !own.contains { TagDirectory.same($0, tag) } }
        guard !more.isEmpty else { return record }
        let named = (own + more).prefix(TagStore.limitPerRecord).map {
            TagAssignment.Named(id: nil, name: $0, color: nil, path: order.path.appending("carry_over_tags"))
        }
        try TagAssignment(.replace, Array(named)).assign(to: [record.id], of: record.module, scope)
        return record
    }

    // MARK: The lead

    /// Whole days from the lead's birth to now.
    private func days(of lead: Record) -> Int64 {
        max(0, (scope.now.milliseconds - (lead["Created_Time"].integer ?? scope.now.milliseconds)) / 86_400_000)
    }

    private func close(_ lead: Record, _ contact: Record, _ account: Record?, _ deal: Record?) throws {
        guard let table = lead.module.table else { return }
        let now = SQLValue.integer(scope.now.milliseconds)
        var closed = lead
        closed[Module.convertedName] = .integer(1)
        closed["Converted_Date_Time"] = now
        closed["Lead_Conversion_Time"] = .integer(days(of: lead))
        closed["Converted_Contact"] = .integer(contact.id.raw)
        closed["Converted_Account"] = .init(account?.id.raw)
        closed["Converted_Deal"] = .init(deal?.id.raw)
        closed["Modified_By"] = .integer(scope.access.user.raw)
        for name in ["Modified_Time", "Last_Activity_Time"] { closed[name] = now }
        try RecordStore.update(closed, from: lead, table, scope)
        try ChangeLog.append([.change(from: lead, to: closed, kind: .converted)], scope)
        try Conversions.add(lead, into: contact, scope)
        try BlueprintRecords.remove([lead.id], scope.tx)
        try CadenceRecords.remove([lead.id], scope.tx)
    }
}

extension LeadConverter.Outcome {
    /// Records that are there already, locked.
    fileprivate struct Held {
        let account: Record?
        let contact: Record?
        let deal: Record?
    }
}
