import Metadata
import SQLStore
import Wire

/// Takes what hangs on a lead over to the records it became. Which lookups there are is read from the metadata; each is moved by
/// the statements a merge uses (`Repointing`, `MergeLinks`), however many rows there are.
struct LeadMoves {
    let lead: Record
    let contact: Record
    let account: Record?
    let deal: Record?
    let records: RecordStore
    let scope: WriteScope
    /// What the files go to.
    var attachments: Record
    var newAccount = false
    var newDeal = false

    init(lead: Record, contact: Record, account: Record?, deal: Record?, records: RecordStore, scope: WriteScope) {
        (self.lead, self.contact, self.account, self.deal) = (lead, contact, account, deal)
        (self.records, self.scope) = (records, scope)
        attachments = contact
    }

    func run() throws {
        let all = Succession(heir: Holder(contact), leavers: [Holder(lead)])
        for move in try MergeSurvey.moves(from: all, of: lead.module, upTo: 1, scope) {
            guard let module = scope.catalog.module(id: move.module), let field = module.field(move.field), let table = module.table,
                field.isAnyLookup
            else { continue }
            if isActivity(module), field.apiName == "What_Id" { try meet(module, table, field) }
            let repointing = Repointing(Succession(heir: Holder(heir(of: module, field)), leavers: [Holder(lead)]), scope)
            // A lookup that knows no contacts stays with the lead, which can still be read.
            guard repointing.canPoint(field) else { continue }
            _ = try MergeLinks(module, repointing.succession, side: field, scope)?.unite()
            _ = try repointing.move(field, of: module, table)
        }
        _ = try EventParticipants.follow(all, named: contact.displayName, as: "contact", scope)
        _ = try Emails.follow(all, scope)
        try moveLinks()
    }

    /// Files go where the caller says; activities belong to the deal or the account, and to the contact beside; all else is the
    /// contact's.
    private func heir(of module: Module, _ field: Field) -> Record {
        if module.apiName == "Attachments" { return attachments }
        return isActivity(module) && field.apiName == "What_Id" ? deal ?? account ?? contact : contact
    }

    private func isActivity(_ module: Module) -> Bool { module.field("Who_Id") != nil && module.field("What_Id") != nil }

    /// An activity of the lead that is with nobody else is with the contact from now on.
    private func meet(_ module: Module, _ table: TableName, _ what: Field) throws {
        guard let who = module.field("Who_Id"), who.target == contact.module.id, let column = who.columns.first else { return }
        let succession = Succession(heir: Holder(contact), leavers: [Holder(lead)])
        let rows: SQL = "\(SuccessionRows(what, succession).moving(of: module, alias: "t")) AND \(column, of: "t") IS NULL"
        let id = SQLValue.text(String(contact.id.raw))
        try ChangeLog.appendRows(kind: .repoint, who, of: module, table, before: "NULL", after: "\(id)", where: rows, scope)
        try scope.tx.execute("UPDATE \(table) AS t SET \(column) = \(contact.id), row_version = row_version + 1 WHERE \(rows)")
    }

    /// Links that leads have in a linking module of their own, such as those to products: each record made of the lead, and the
    /// contact in any case, gets them in its own list of that name.
    private func moveLinks() throws {
        for list in scope.catalog.relatedLists(of: lead.module.id) {
            guard let relation = LinkRelation(list, of: lead.module, scope.catalog), relation.mine.target == lead.module.id else {
                continue
            }
            let linked = try relation.joined(to: lead.id, scope)
            guard !linked.isEmpty else { continue }
            let heirs = [contact] + (newAccount ? [account] : []).compactMap(\.self) + (newDeal ? [deal] : []).compactMap(\.self)
            var isKept = false
            for heir in heirs {
                guard let twin = scope.catalog.relatedList(list.apiName, of: heir.module.id),
                    let other = LinkRelation(twin, of: heir.module, scope.catalog), other.target.id == relation.target.id
                else { continue }
                try other.add(heir.id, to: linked, records, scope)
                isKept = isKept || heir.id == contact.id
            }
            if isKept { try relation.remove(Array(try relation.links(of: lead.id, to: linked, scope).values), scope) }
        }
    }
}
