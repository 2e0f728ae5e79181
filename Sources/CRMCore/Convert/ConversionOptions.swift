import Metadata
import SQLStore
import Wire

/// What a lead may be already, for a person to choose from. Contract: convert-lead, 136.
package struct ConversionOptions: Sendable {
    package struct Match: Sendable {
        package let field: Field
        package let value: String
    }

    /// The records of one module as JSON, and why they match.
    package struct Side: Sendable {
        package let module: Module
        package let records: [JSONValue]
        package let reasons: [Match]
    }

    package let preferred: Module?
    package let contacts: Side
    package let accounts: Side
}

extension RecordQueries {
    /// What is shown of a match.
    private static let shown: [String: [String]] = [
        "Contacts": ["Full_Name", "First_Name", "Last_Name", "Email", "Phone", "Mobile", "Title", "Account_Name", "Owner", "Layout"],
        "Accounts": ["Account_Name", "Phone", "Website", "Account_Type", "Industry", "Owner", "Layout"],
    ]

    package func conversionOptions(of id: RecordID) async throws -> ConversionOptions {
        guard let leads = catalog.module("Leads"), let contacts = catalog.module("Contacts"), let accounts = catalog.module("Accounts")
        else {
            throw Rejection.invalidModule()
        }
        try access.require(.view, leads)
        let planner = Planner(catalog, access)
        let render = render
        return try await read { tx in
            guard let lead = try planner.rows([id], of: leads, for: .view, locked: false, tx)[id] else { throw Rejection.invalidPathID(1) }
            if lead.heldByMerge != nil { throw Rejection(.recordLocked, .resourcePathIndex(1)) }
            if lead.isConverted { throw Rejection(.idAlreadyConverted, .resourcePathIndex(1)) }
            let matches = try LeadMatches.find(lead, unique: true, planner.catalog, planner.access, tx)
            func side(_ found: LeadMatches.Side, _ module: Module) throws -> ConversionOptions.Side {
                let reasons = found.reasons.map { ConversionOptions.Match(field: $0.field, value: $0.value.text ?? $0.value.json.text) }
                guard !found.ids.isEmpty else { return .init(module: module, records: [], reasons: []) }
                let fields = (Self.shown[module.apiName] ?? []).compactMap { module.field($0) }
                let query = Query(
                    module, fields: fields, filter: .ids(found.ids), order: .init(field: "id", descending: false), limit: LeadMatches.limit,
                    constants: [.init("$editable", .bool(planner.access.may(.edit, module)))])
                var json = JSONWriter(capacity: 4096)
                json.beginArray()
                _ = try RecordReader.write(try planner.plan(query), render, tx, to: &json)
                json.endArray()
                return .init(module: module, records: try JSONValue.parse(json.finish()).array ?? [], reasons: reasons)
            }
            return ConversionOptions(
                preferred: matches.preferred, contacts: try side(matches.contacts, contacts), accounts: try side(matches.accounts, accounts)
            )
        }
    }
}
