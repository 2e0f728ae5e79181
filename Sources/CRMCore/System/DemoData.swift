import Metadata
import SQLStore
import Wire

/// A few records to look at, two of which are the same person.
struct DemoData {
    private let services: Services
    private let user: UserID

    init(_ services: Services, _ user: UserID) {
        self.services = services
        self.user = user
    }

    private static let leads: JSONValue = [
        [
            "Last_Name": "Okafor", "First_Name": "Nadia", "Company": "Harbour Light Ltd", "Email": "nadia.okafor@harbourlight.example",
            "Lead_Source": "Trade Show",
        ],
        [
            "Last_Name": "Okafor", "First_Name": "N.", "Company": "Harbour Light", "Phone": "+44 20 7946 0018",
            "Description": "Asked for a quote.",
        ],
        ["Last_Name": "Lindqvist", "First_Name": "Per", "Company": "Norrsken Bygg AB", "Email": "per@norrsken.example"],
        ["Last_Name": "Moreau", "First_Name": "Camille", "Company": "Atelier Moreau", "Phone": "+33 1 99 00 12 34"],
    ]

    /// Under which names the two that are one person are kept, the survivor first.
    private static let pair = ["demo:master", "demo:child"]

    /// Makes them only where there are no leads yet: neither a second start nor somebody's own data is touched. Answers the two
    /// that are one person, as long as both are there.
    func createIfEmpty() async throws -> (module: String, master: RecordID, child: RecordID)? {
        guard let table = services.catalog.current().module("Leads")?.table else { return nil }
        let (filled, pair) = try await services.database.run(.read) { tx in
            let filled = try tx.first("SELECT id FROM \(table) LIMIT 1") { $0.integer(0) } != nil
            let kept = try Self.pair.compactMap { try Counters.kept($0, tx) }
            let there = try tx.rows("SELECT id FROM \(table) WHERE \(.memberIDs("id", kept))") { $0.integer(0) ?? 0 }
            return (filled, kept.filter(there.contains).map(RecordID.init(raw:)))
        }
        guard filled else { return try await create() }
        return pair.count == 2 ? ("Leads", pair[0], pair[1]) : nil
    }

    private func create() async throws -> (module: String, master: RecordID, child: RecordID)? {
        let catalog = services.catalog.current()
        let access = try AccessPolicy.of(user, catalog)
        let records = services.records
        guard let leads = catalog.module("Leads"), let notes = catalog.module("Notes"), let tasks = catalog.module("Tasks") else {
            return nil
        }
        return try await services.write(catalog, access, .system) { scope in
            let made = try records.insert(JSONCursor(Self.leads).elements(), leads, scope).map { try $0.get().id }
            let parent: (RecordID) -> JSONValue = { ["module": ["api_name": "Leads"], "id": .id($0)] }
            let noted: JSONValue = [
                ["Note_Title": "First call", "Note_Content": "Met at the spring fair.", "Parent_Id": parent(made[0])],
                ["Note_Title": "Quote", "Note_Content": "Wants prices by Friday.", "Parent_Id": parent(made[1])],
            ]
            let planned: JSONValue = [["Subject": "Send the quote", "What_Id": ["id": .id(made[1])], "$se_module": "Leads"]]
            for outcome in try records.insert(JSONCursor(noted).elements(), notes, scope) { _ = try outcome.get() }
            for outcome in try records.insert(JSONCursor(planned).elements(), tasks, scope) { _ = try outcome.get() }
            for (name, id) in zip(Self.pair, made) { try Counters.keep(id.raw, as: name, scope.tx) }
            return ("Leads", made[0], made[1])
        }
    }
}
