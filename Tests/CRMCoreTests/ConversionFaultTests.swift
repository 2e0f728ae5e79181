import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore

/// Fails one statement after another of a conversion: afterwards the database is as before. Counts statements, too.
@Suite struct ConversionFaultTests {
    /// A lead with everything a conversion moves, and a quote with lines.
    private struct World {
        let services: Services
        let access: AccessPolicy
        let lead: RecordID
        let quote: RecordID
        let order: LeadOrder

        init(_ start: Bootstrap.Result, notes: Int) async throws {
            let services = start.services
            let catalog = services.catalog.current()
            self.services = services
            access = try AccessPolicy.of(start.administrator.id, catalog)
            let made = try await services.write(catalog, access, .api) { scope -> (lead: RecordID, quote: RecordID, account: RecordID) in
                func add(_ module: String, _ items: [JSONValue]) throws -> [RecordID] {
                    guard let module = catalog.module(module) else { return [] }
                    return try services.records.insert(items.map { JSONCursor($0) }, module, scope).map { try $0.get().id }
                }
                func at(_ id: RecordID) -> JSONValue { ["id": .id(id), "module": ["api_name": "Leads"]] }
                let account = try add("Accounts", [["Account_Name": "A"]])[0]
                let lead = try add("Leads", [["Last_Name": "L", "Company": "C", "Email": "l@x.example", "Tag": ["a", "b"]]])[0]
                let contact = try add("Contacts", [["Last_Name": "K", "Email": "l@x.example", "Account_Name": ["id": .id(account)]]])[0]
                _ = try add("Notes", (0..<notes).map { ["Note_Content": .string("n\($0)"), "Parent_Id": at(lead)] })
                _ = try add("Tasks", (0..<notes).map { ["Subject": .string("t\($0)"), "What_Id": at(lead)] })
                let products = try add("Products", [["Product_Name": "P"], ["Product_Name": "Q"]])
                _ = try add("Leads_X_Products", products.map { ["Parent": ["id": .id(lead)], "Product": ["id": .id($0)]] })
                let campaign = try add("Campaigns", [["Campaign_Name": "K"]])[0]
                _ = try add(
                    "Campaign_Members",
                    [
                        ["Campaign": ["id": .id(campaign)], "Member": at(lead), "Member_Status": "Sent"],
                        ["Campaign": ["id": .id(campaign)], "Member": ["id": .id(contact), "module": ["api_name": "Contacts"]]],
                    ])
                let quote = try add(
                    "Quotes",
                    [
                        [
                            "Subject": "S", "Account_Name": ["id": .id(account)], "Tag": ["q"],
                            "Quoted_Items": .array(
                                products.map { ["Product_Name": ["id": .id($0)], "Quantity": 1, "List_Price": 2] }),
                        ]
                    ])[0]
                return (lead, quote, account)
            }
            lead = made.lead
            quote = made.quote
            order = try LeadOrder(
                JSONCursor([
                    "Accounts": ["id": .id(made.account)], "overwrite": true, "carry_over_tags": ["Contacts": ["a"], "Deals": ["b"]],
                    "move_attachments_to": ["api_name": "Deals"],
                    "Deals": [
                        "Deal_Name": "D", "Closing_Date": "2030-01-01", "Stage": "Qualification", "Pipeline": "Standard (Standard)",
                    ],
                ]), catalog)
        }

        func convertLead() async throws -> LeadConverter.Outcome {
            let order = order
            let lead = lead
            let records = services.records
            return try await services.write(services.catalog.current(), access, .convert) { scope in
                try LeadConverter(order, records, scope).convert(lead)
            }
        }

        func convertQuote() async throws -> Record {
            let catalog = services.catalog.current()
            let module = try #require(catalog.module("Quotes"))
            let order = try InventoryOrder(
                JSONCursor(["convert_to": [["module": ["api_name": "Sales_Orders"]]]]), of: module, catalog)
            let quote = quote
            let records = services.records
            return try await services.write(catalog, access, .convert) { scope in
                try InventoryConverter(order, records, scope).convert(quote, of: module)
            }
        }
    }

    private func with(_ engine: Database.Engine, notes: Int, _ body: (World, FaultyDatabase) async throws -> Void) async throws {
        try await FaultyDatabase.with(engine) { faulty, start in try await body(try await World(start, notes: notes), faulty) }
    }

    @Test(arguments: TestServer.engines)
    func aFailedStatementLeavesEverythingAsItWas(_ engine: Database.Engine) async throws {
        try await with(engine, notes: 3) { world, faulty in
            let lead = try await faulty.failEach(world.convertLead)
            #expect((30..<500).contains(lead.failed) && lead.problems == [])
            let quote = try await faulty.failEach(world.convertQuote)
            #expect((10..<500).contains(quote.failed) && quote.problems == [])
            #expect(try await ConsistencyCheck.run(world.services) == [])
            let dump = try await RecordDump.take(world.services)
            #expect(
                dump.count("Deals") == 1 && dump.count("Contacts") == 1 && dump.count("Accounts") == 1 && dump.count("Sales_Orders") == 1)
            // The contact and the lead were members of one campaign.
            #expect(dump.count("Campaign_Members") == 1 && dump.count("Leads_X_Products") == 0 && dump.count("Contacts_X_Products") == 2)
            #expect(dump.rows["Campaign_Members"]?.values.first?["member_status"] == .text("Sent"))
        }
    }

    @Test(arguments: TestServer.engines)
    func theNumberOfStatementsDoesNotDependOnTheRows(_ engine: Database.Engine) async throws {
        var counts: [Int] = []
        for notes in [2, 300] {
            try await with(engine, notes: notes) { world, faulty in
                faulty.watch.arm(nil)
                _ = try await world.convertLead()
                counts.append(faulty.watch.disarm())
            }
        }
        #expect(counts[0] == counts[1] && counts[0] <= 120, "\(counts)")
    }

    /// A worker that fails at any statement leaves each lead converted or as it was; the next run goes on, and the counts are right.
    @Test(arguments: TestServer.engines)
    func aFailedJobGoesOnWhereItStopped(_ engine: Database.Engine) async throws {
        try await with(engine, notes: 1) { world, faulty in
            let catalog = world.services.catalog.current()
            let user = world.access.user.raw
            let body: JSONValue = ["assign_to": ["id": .string(String(user))], "carry_over_tags": [["api_name": "Contacts"]]]
            let id = try await world.services.write(catalog, world.access, .api) { scope -> RecordID in
                let leads = try #require(catalog.module("Leads"))
                let more = try world.services.records.insert(
                    [JSONCursor(["Last_Name": "M"]), JSONCursor(["Last_Name": "N"])], leads, scope
                ).map { try $0.get().id }
                let ids = ([world.lead] + more).map { (id: $0, path: JSONPath()) }
                return try MassConvertLeadsJob.schedule(ids, body: JSONCursor(body), scope)
            }
            let payload = try #require(try await world.services.job(id, kind: MassConvertLeadsJob.kind)).payload
            let job = Job(id: id, kind: MassConvertLeadsJob.kind, payload: payload, attempt: 1)
            var done = false
            var failed = 0
            // Steps of seven: every run gets a little further.
            while !done, failed < 3000 {
                failed += 7
                faulty.watch.arm(failed)
                done = (try? await MassConvertLeadsJob().run(job, world.services)) != nil
                _ = faulty.watch.disarm()
                #expect(try await ConsistencyCheck.run(world.services) == [])
            }
            let progress = try #require(try await world.services.job(id, kind: MassConvertLeadsJob.kind))
            #expect(done && progress.done == 3 && progress.failed == 0 && progress.total == 3, "\(progress)")
            let dump = try await RecordDump.take(world.services)
            let column = try #require(catalog.module("Leads")?.convertedField?.columns.first?.raw)
            #expect(dump.rows["Leads"]?.values.allSatisfy { $0[column] == .integer(1) } == true)
            // One of the leads is a contact by its e-mail already.
            #expect(dump.count("Contacts") == 3)
        }
    }
}
