import Metadata
import SQLStore
import Wire

/// The contacts and accounts a lead may be already, in the order of preference the contract names (convert-lead, 135, notes).
struct LeadMatches {
    /// What made records of a module match.
    struct Reason {
        let field: Field
        let value: SQLValue
    }

    struct Side {
        var ids: [RecordID] = []
        var reasons: [Reason] = []
        /// Whether a unique field made them match.
        var byUnique = false
    }

    /// Of so many, a person picks.
    static let limit = 20

    let contacts: Side
    let accounts: Side
    /// Whether nothing but the name made the contacts match.
    let onlyByName: Bool
    let preferred: Module?

    /// `unique` says whether unique fields are compared; without them a value that must be unique makes no match.
    static func find(_ lead: Record, unique: Bool, _ catalog: Catalog, _ access: AccessPolicy, _ tx: Transaction) throws -> LeadMatches {
        let finder = Finder(lead: lead, planner: Planner(catalog, access), tx: tx)
        guard let contacts = catalog.module("Contacts"), let accounts = catalog.module("Accounts") else {
            return LeadMatches(contacts: Side(), accounts: Side(), onlyByName: false, preferred: nil)
        }
        let accountsFirst = !contacts.fields.contains(where: \.unique) && accounts.fields.contains(where: \.unique)
        var people = unique ? try finder.byUniqueFields(of: contacts) : Side()
        var companies = unique ? try finder.byUniqueFields(of: accounts) : Side()
        if people.ids.isEmpty { people = try finder.by("Email", of: contacts, "Email", unique: unique) }
        if companies.ids.isEmpty { companies = try finder.by("Company", of: accounts, "Account_Name", unique: unique) }
        var onlyByName = false
        if people.ids.isEmpty, companies.ids.isEmpty {
            people = try finder.by("Full_Name", of: contacts, "Full_Name", unique: unique)
            onlyByName = !people.ids.isEmpty
        }
        let order = accountsFirst ? [(accounts, companies), (contacts, people)] : [(contacts, people), (accounts, companies)]
        let preferred = order.first { $0.1.byUnique } ?? order.first { !$0.1.ids.isEmpty }
        return LeadMatches(contacts: people, accounts: companies, onlyByName: onlyByName, preferred: preferred?.0)
    }

    private struct Finder {
        let lead: Record
        let planner: Planner
        let tx: Transaction

        /// One statement for each unique field that a field of the lead goes to.
        func byUniqueFields(of target: Module) throws -> Side {
            var side = Side()
            for (from, to) in ConversionMapping(leads: lead.module).pairs(to: target) where to.unique {
                let found = try holders(of: lead[from], to, target)
                guard !found.isEmpty else { continue }
                side.byUnique = true
                side.reasons.append(Reason(field: to, value: lead[from]))
                side.ids += found.filter { !side.ids.contains($0) }
            }
            return side
        }

        func by(_ name: String, of target: Module, _ field: String, unique: Bool) throws -> Side {
            guard let to = target.field(field), unique || !to.unique else { return Side() }
            let found = try holders(of: lead[name], to, target)
            return found.isEmpty ? Side() : Side(ids: found, reasons: [Reason(field: to, value: lead[name])])
        }

        private func holders(of value: SQLValue, _ field: Field, _ target: Module) throws -> [RecordID] {
            guard !value.isNull, value != .text("") else { return [] }
            // The index holds no empty values, and is used for what says so.
            let filter: Condition = .all([
                .test(field: field.apiName, .notEmpty, []), .test(field: field.apiName, .equal, [value.json]),
            ])
            guard planner.access.may(.view, target) else { return [] }
            let sql = try planner.ids(Query(target, fields: [], filter: filter), after: nil, limit: LeadMatches.limit)
            return try tx.rows(sql) { RecordID(raw: $0.integer(0) ?? 0) }
        }
    }
}
