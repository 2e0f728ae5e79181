import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What a merge leaves behind: the survivor's values, related rows, and the children's ids. Contract: merge, §4, §6, §7.
@Suite struct MergeEffectTests {
    private func ref(_ id: String) -> JSONValue { ["id": .string(id)] }

    /// §4: every kind of field, named and not named.
    @Test(arguments: TestServer.engines)
    func theMasterKeepsWhatIsNotNamed(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let user = JSONValue.string(String(bench.server.administrator.id.raw))
            let ids = try await bench.add(
                "Leads",
                [
                    [
                        "Last_Name": "Master", "First_Name": "Mia", "Company": "Acme", "Email": "m@acme.example", "Annual_Revenue": 10.5,
                        "No_of_Employees": 5,
                    ],
                    [
                        "Last_Name": "Child", "First_Name": "Carl", "Company": "Acme Ltd", "Phone": "+44 1", "Lead_Source": "Cold Call",
                        "Website": "www.acme.example",
                        "Annual_Revenue": 99.25, "No_of_Employees": 7, "Email_Opt_Out": true, "Description": "long\ntext",
                        "Email": "c@acme.example",
                    ],
                    ["Last_Name": "Second", "City": "Oslo", "Company": "Other"],
                ])
            let (a, b, c) = (ids[0], ids[1], ids[2])
            let before = await bench.get("Leads", a)
            let named = [
                "Phone", "Lead_Source", "Website", "Annual_Revenue", "Email_Opt_Out", "Description", "Last_Name", "Owner", "Email",
            ]
            let answer = await bench.merge("leads", a, [(b, named), (c, ["City", "First_Name"])], keep: ["Company"], query: "")
            #expect(answer.status == 201)
            #expect(
                answer.json == [
                    "merge": [
                        [
                            "code": "SUCCESS", "details": ["id": .string(a)], "message": "The records have been merged successfully",
                            "status": "success",
                        ]
                    ]
                ])
            let lead = await bench.get("Leads", a)
            #expect(
                lead["Phone"] == "+44 1" && lead["Lead_Source"] == "Cold Call" && lead["Website"] == "www.acme.example"
                    && lead["City"] == "Oslo")
            #expect(
                lead["Annual_Revenue"]?.double == 99.25 && lead["Email_Opt_Out"] == true && lead["Description"] == "long\ntext"
                    && lead["Email"] == "c@acme.example")
            #expect(lead["Company"] == "Acme" && lead["No_of_Employees"] == 5, "not named, or named for the master: the master's")
            #expect(
                lead["First_Name"] == .null && lead["Last_Name"] == "Child" && lead["Full_Name"] == "Child", "an empty value taken is empty"
            )
            #expect(
                lead["Owner"]?["id"] == user && lead["Created_Time"] == before["Created_Time"] && lead["Created_By"] == before["Created_By"]
            )
            #expect(lead["$in_merge"] == false)
        }
    }

    /// §4: lookups at participants, and §6 "Cycles and self references".
    @Test(arguments: TestServer.engines)
    func loopsAreCutAtTheMaster(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add("Accounts", (0..<8).map { ["Account_Name": .string("Account \($0)")] })
            func parent(_ id: Int, _ above: Int) async {
                await bench.send("PUT", "Accounts/\(ids[id])", ["data": [["Parent_Account": self.ref(ids[above])]]])
            }
            func above(_ id: Int) async -> JSONValue? { await bench.get("Accounts", ids[id])["Parent_Account"]?["id"] }
            // The child is the master's parent: empty afterwards. The other way round: nothing to do.
            await parent(0, 1)
            await parent(2, 0)
            var answer = await bench.merge("Accounts", ids[0], [(ids[1], [])])
            #expect(answer.status == 201 && answer.json?["merge"]?.array?.first?["details"]?["warnings"] == [], "\(answer.text)")
            #expect(await above(0) == nil)
            #expect(await above(2)?.string == ids[0])
            // master -> 2 -> child: a loop of two after the merge, cut at the master with a warning.
            await parent(2, 3)
            await parent(0, 2)
            let dry = await bench.merge("Accounts", ids[0], [(ids[3], [])], query: "?dry_run=true")
            answer = await bench.merge("Accounts", ids[0], [(ids[3], [])])
            let warning: JSONValue = ["Parent_Account would have led back to the record itself and was cleared"]
            #expect(answer.json?["merge"]?.array?.first?["details"]?["warnings"] == warning)
            #expect(dry.json?["merge"]?.array?.first?["details"]?["warnings"] == warning)
            #expect(await above(0) == nil)
            #expect(await above(2)?.string == ids[0])
            // A parent taken from a child that is the master itself becomes empty.
            await parent(4, 0)
            answer = await bench.merge("Accounts", ids[0], [(ids[4], ["Parent_Account"])])
            #expect(answer.status == 201)
            #expect(await above(0) == nil)
            // A loop that was there before and does not touch the merge does not hang it.
            await parent(5, 6)
            await parent(6, 5)
            await parent(7, 5)
            #expect(await bench.merge("Accounts", ids[0], [(ids[7], ["Parent_Account"])]).status == 201)
            #expect(await above(0)?.string == ids[5])
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
        }
    }

    /// §4 "Tag": union in the master's order, cut at ten; named: that record's only. Undo brings both back.
    @Test(arguments: TestServer.engines)
    func tagsAreUnited(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            func tagged(_ names: [String]) -> JSONValue { ["Last_Name": "T", "Tag": .array(names.map { ["name": .string($0)] })] }
            let many = (1...8).map { "t\($0)" }
            let ids = try await bench.add(
                "Leads",
                [
                    tagged(["b", "a"]), tagged(["a", "c"]), tagged(many), tagged(["x"]), tagged([]), tagged(["x", "y"]), tagged([]),
                    tagged(["k"]),
                ])
            func tags(_ id: String) async -> [String] {
                (await bench.get("Leads", id)["Tag"]?.array ?? []).compactMap { $0["name"]?.string }
            }
            let before = try await bench.dump()
            let first = await bench.merge("Leads", ids[0], [(ids[1], []), (ids[2], [])])
            #expect(await tags(ids[0]) == ["b", "a", "c"] + many.prefix(7))
            #expect(first.json?["merge"]?.array?.first?["details"]?["moved"]?["Tags"] == 8, "\(first.text)")
            let second = await bench.merge("Leads", ids[3], [(ids[5], ["Tag"]), (ids[4], [])])
            #expect(await tags(ids[3]) == ["x", "y"])
            let third = await bench.merge("Leads", ids[7], [(ids[6], ["Tag"])])
            #expect(await tags(ids[7]) == [])
            for (master, merged) in [(ids[7], third), (ids[3], second), (ids[0], first)] {
                #expect(await bench.undo("Leads", master, merged).status == 200)
            }
            #expect(try await bench.dump().differences(from: before) == [])
        }
    }

    /// §6: rows of every kind of list move; `Modified_Time` of those rows does not change.
    @Test(arguments: TestServer.engines)
    func relatedRowsMoveToTheMaster(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let contacts = try await bench.add("Contacts", ["M", "C1", "C2"].map { ["Last_Name": .string($0)] })
            let (m, c1) = (contacts[0], contacts[1])
            let account = try await bench.add("Accounts", ["Account_Name": "Acct"])
            let product = try await bench.add("Products", ["Product_Name": "p", "Unit_Price": 1])
            var expected: [String: Set<String>] = [:]
            for (index, contact) in contacts.enumerated() {
                for _ in 0...1 {
                    let note = await bench.send("POST", "Contacts/\(contact)/Notes", ["data": [["Note_Content": "n"]]])
                    expected["Notes", default: []].insert(note.json?["data"]?.array?.first?["details"]?["id"]?.string ?? "")
                }
                let what: JSONValue = ["What_Id": ref(account), "$se_module": "Accounts", "Who_Id": ref(contact)]
                func with(_ more: JSONValue) -> JSONValue { .object((what.members ?? []) + (more.members ?? [])) }
                expected["Tasks", default: []].insert(try await bench.add("Tasks", with(["Subject": "t"])))
                expected["Calls", default: []].insert(
                    try await bench.add(
                        "Calls",
                        with([
                            "Subject": "c", "Call_Type": "Outbound", "Call_Duration": "01:00",
                            "Call_Start_Time": "2030-01-01T10:00:00+00:00", "Outgoing_Call_Status": "Scheduled",
                        ])))
                expected["Events", default: []].insert(
                    try await bench.add(
                        "Events",
                        with([
                            "Event_Title": "e", "Start_DateTime": "2030-01-01T10:00:00+00:00", "End_DateTime": "2030-01-01T11:00:00+00:00",
                        ])))
                expected["Deals", default: []].insert(
                    try await bench.add(
                        "Deals", ["Deal_Name": .string("D\(index)"), "Stage": "Qualification", "Contact_Name": ref(contact)]))
                expected["Quotes", default: []].insert(
                    try await bench.addRows(
                        "Quotes",
                        [
                            [
                                "Subject": "q", "Contact_Name": ref(contact),
                                "Quoted_Items": [["Product_Name": ref(product), "Quantity": 1]],
                            ]
                        ])[0].description)
                expected["Cases", default: []].insert(
                    try await bench.addRows(
                        "Cases",
                        [
                            ["Subject": "k", "Related_To": ref(contact), "Status": "New", "Case_Origin": "Web"]
                        ])[0].description)
                expected["Reporting_Contacts", default: []].insert(
                    try await bench.add("Contacts", ["Last_Name": "R", "Reporting_To": ref(contact)]))
            }
            let before = try await bench.dump()
            let answer = await bench.merge("Contacts", m, [(c1, []), (contacts[2], [])])
            #expect(answer.status == 201, "\(answer.text)")
            for (list, ids) in expected.sorted(by: { $0.key < $1.key }) {
                #expect(await bench.related("Contacts", m, list) == ids, "\(list)")
            }
            let after = try await bench.dump()
            for (module, rows) in before.rows where module != "Contacts" {
                for (id, row) in rows {
                    #expect(after.rows[module]?[id]?["modified_time"] == row["modified_time"])
                    #expect(after.rows[module]?[id] != nil, "\(module) \(id) is lost")
                }
            }
            #expect(after.count("Contacts") == before.count("Contacts") - 2)
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
            #expect(await bench.undo("Contacts", m, answer).status == 200)
            #expect(try await bench.dump().differences(from: before) == [])
        }
    }

    /// §6: link rows. One for each pair, the master's stays, its empty attributes are filled from the row that goes.
    @Test(arguments: TestServer.engines)
    func linksAreOneForEachPair(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let leads = try await bench.add("Leads", ["M", "C1", "C2"].map { ["Last_Name": .string($0)] })
            let (m, c1, c2) = (leads[0], leads[1], leads[2])
            let products = try await bench.add("Products", (0..<4).map { ["Product_Name": .string("P\($0)")] })
            let campaigns = try await bench.add("Campaigns", (0..<4).map { ["Campaign_Name": .string("K\($0)")] })
            func product(_ lead: String, _ index: Int) -> JSONValue { ["Parent": ref(lead), "Product": ref(products[index])] }
            func member(_ lead: String, _ index: Int, _ status: String?) -> JSONValue {
                [
                    "Campaign": ref(campaigns[index]), "Member": ["id": .string(lead), "module": ["api_name": "Leads"]],
                    "Member_Status": status.map(JSONValue.string) ?? .null,
                ]
            }
            _ = try await bench.addRows(
                "Leads_X_Products", [product(m, 0), product(c1, 0), product(c1, 1), product(c2, 1), product(c2, 2)])
            _ = try await bench.addRows(
                "Campaign_Members",
                [
                    member(m, 0, "Planned"), member(c1, 0, "Invited"), member(m, 1, nil), member(c1, 1, nil), member(c2, 1, "Sent"),
                    member(c1, 2, nil),
                    member(c2, 2, "Opened"), member(c2, 3, "Late"),
                ])
            let before = try await bench.dump()
            let dry =
                await bench.merge("Leads", m, [(c1, []), (c2, [])], query: "?dry_run=true").json?["merge"]?.array?.first?["details"]
                ?? .null
            #expect(try await bench.dump() == before)
            let answer = await bench.merge("Leads", m, [(c1, []), (c2, [])])
            let details = answer.json?["merge"]?.array?.first?["details"] ?? .null
            #expect(details["collisions"] == 6, "\(answer.text)")
            #expect(dry["collisions"] == 6 && dry["moved"] == details["moved"], "\(dry)")
            #expect(await bench.related("Leads", m, "Products") == Set(products.prefix(3)))
            #expect(await bench.related("Leads", m, "Campaigns") == Set(campaigns))
            let members = try await bench.dump().rows["Campaign_Members"]?.values.map {
                "\($0["campaign"]?.integer ?? 0) \($0["member_status"]?.text ?? "-")"
            }
            #expect(members?.sorted() == zip(campaigns, ["Planned", "Sent", "Opened", "Late"]).map { "\($0) \($1)" }.sorted())
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
            #expect(await bench.undo("Leads", m, answer).status == 200)
            #expect(try await bench.dump().differences(from: before) == [])
        }
    }

    /// §6 "Contact_Roles of a Deal", merged from either side, and undo across both.
    @Test(arguments: TestServer.engines)
    func contactRolesStayOnePerDealAndContact(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let contacts = try await bench.add("Contacts", ["C1", "C2"].map { ["Last_Name": .string($0)] })
            let deals = try await bench.add("Deals", ["D1", "D2"].map { ["Deal_Name": .string($0), "Stage": "Qualification"] })
            func role(_ deal: Int, _ contact: Int, _ role: JSONValue) -> JSONValue {
                ["Deal": ref(deals[deal]), "Contact": ref(contacts[contact]), "Contact_Role": role]
            }
            _ = try await bench.addRows("Contact_Roles", [role(0, 0, .null), role(0, 1, 77), role(1, 1, 88)])
            let before = try await bench.dump()
            let first = await bench.merge("Contacts", contacts[0], [(contacts[1], [])])
            var roles = try await bench.dump().rows["Contact_Roles"]?.values.compactMap { $0["contact_role"]?.integer }.sorted()
            #expect(roles == [77, 88], "the child's role fills the master's empty one")
            let second = await bench.merge("Deals", deals[0], [(deals[1], [])])
            roles = try await bench.dump().rows["Contact_Roles"]?.values.compactMap { $0["contact_role"]?.integer }.sorted()
            #expect(roles == [77], "the master's role wins")
            #expect(await bench.undo("Deals", deals[0], second).status == 200)
            #expect(await bench.undo("Contacts", contacts[0], first).status == 200)
            #expect(try await bench.dump().differences(from: before) == [])
            // Undone out of order: whatever comes back points at records that exist, and no pair is linked twice.
            let one = await bench.merge("Contacts", contacts[0], [(contacts[1], [])])
            await bench.merge("Deals", deals[1], [(deals[0], [])])
            #expect(await bench.undo("Contacts", contacts[0], one).status == 200)
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
        }
    }

    /// A child that comes back after the account it belonged to was itself merged away belongs to the survivor.
    @Test(arguments: TestServer.engines)
    func aRestoredChildFollowsMergesOfWhatItPointedAt(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let accounts = try await bench.add("Accounts", [["Account_Name": "Old"], ["Account_Name": "New"]])
            let contacts = try await bench.add("Contacts", [["Last_Name": "M"], ["Last_Name": "C", "Account_Name": ref(accounts[0])]])
            let merged = await bench.merge("Contacts", contacts[0], [(contacts[1], ["Account_Name"])])
            await bench.merge("Accounts", accounts[1], [(accounts[0], [])])
            #expect(await bench.undo("Contacts", contacts[0], merged).status == 200)
            #expect(await bench.get("Contacts", contacts[1])["Account_Name"]?["id"]?.string == accounts[1])
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
        }
    }

    /// The same for what returns from the recycle bin.
    @Test(arguments: TestServer.engines)
    func aDeletedRecordReturnsToTheSurvivor(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let accounts = try await bench.add("Accounts", [["Account_Name": "Old"], ["Account_Name": "New"]])
            let contact = try await bench.add("Contacts", ["Last_Name": "C", "Account_Name": ref(accounts[0])])
            let noted = await bench.send("POST", "Accounts/\(accounts[0])/Notes", ["data": [["Note_Content": "n"]]])
            let note = noted.json?["data"]?.array?.first?["details"]?["id"]?.string ?? ""
            await bench.send("DELETE", "Contacts/\(contact)")
            await bench.send("DELETE", "Notes/\(note)")
            await bench.merge("Accounts", accounts[1], [(accounts[0], [])])
            let services = bench.server.services
            let catalog = services.catalog.current()
            let ids = [contact, note].compactMap { RecordID($0) }
            let outcomes = try await services.write(catalog, .system("a test of the recycle bin", for: bench.server.administrator.id), .api)
            { scope in
                try RecycleBin.restore(ids, scope).map { try $0.get() }
            }
            #expect(outcomes == ids)
            #expect(await bench.get("Contacts", contact)["Account_Name"]?["id"]?.string == accounts[1])
            #expect(await bench.related("Accounts", accounts[1], "Notes") == [note])
            #expect(try await ConsistencyCheck.run(services) == [])
        }
    }

    /// §7, on every path.
    @Test(arguments: TestServer.engines)
    func aMergedChildIsGoneEverywhere(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add(
                "Leads", ["Keeper", "Goner", "Later"].map { ["Last_Name": .string($0), "Email": .string("\($0)@x.example")] })
            let (m, child, third) = (ids[0], ids[1], ids[2])
            await bench.merge("Leads", m, [(child, [])])
            var got = await bench.send("GET", "Leads/\(child)")
            #expect(got.status == 204 && got.body.isEmpty && got.header("X-Merged-Into") == m)
            got = await bench.send("GET", "Leads/\(child)?include_merged=true")
            #expect(got.status == 200 && got.json == ["data": [["id": .string(child), "merged_into": ["id": .string(m)]]]])
            got = await bench.send("GET", "Contacts/\(child)")
            #expect(got.status == 204 && got.header("X-Merged-Into") == nil, "it was no contact")
            // The survivor is merged itself: the header follows.
            await bench.merge("Leads", third, [(m, [])])
            #expect(await bench.send("GET", "Leads/\(child)").header("X-Merged-Into") == third)
            let list = await bench.send("GET", "Leads?fields=id")
            #expect((list.json?["data"]?.array ?? []).compactMap { $0["id"]?.string } == [third])
            #expect(await bench.send("GET", "Leads/actions/count").json == ["count": 1])
            #expect(await bench.send("GET", "Leads/search?email=goner@x.example").status == 204)
            #expect(await bench.send("GET", "Leads/search?word=Goner").status == 204)
            let unknown = await bench.send("GET", "Leads/12345/Notes?fields=id")
            let related = await bench.send("GET", "Leads/\(child)/Notes?fields=id")
            #expect(related.status == unknown.status && related.json == unknown.json, "\(related.text)")
            let put = await bench.send("PUT", "Leads", ["data": [["id": .string(child), "City": "x"]]])
            #expect(
                put.json?["data"]?.array?.first?["code"] == "INVALID_DATA"
                    && put.json?["data"]?.array?.first?["message"] == "the id given seems to be invalid")
            let gone = await bench.send("DELETE", "Leads?ids=\(child)")
            #expect(
                gone.json?["data"]?.array?.first?["code"] == "INVALID_DATA"
                    && gone.json?["data"]?.array?.first?["message"] == "the id given seems to be invalid")
            let note = await bench.send("POST", "Leads/\(child)/Notes", ["data": [["Note_Content": "x"]]])
            #expect(note.status == 400 && note.json?["data"]?.array?.first?["code"] == "INVALID_DATA")
            for type in ["all", "permanent"] {
                let rows = await bench.send("GET", "Leads/deleted?type=\(type)").json?["data"]?.array ?? []
                let row = rows.first { $0["id"]?.string == child }
                #expect(
                    row?["type"] == "permanent" && row?["deleted_by"] == .null && row?["display_name"] == .null
                        && row?["created_by"] == .null, "\(type)")
            }
            #expect(await bench.send("GET", "Leads/deleted?type=recycle").status == 204)
            let again = await bench.merge("Leads", third, [(child, [])], query: "")
            #expect(
                again.status == 400 && again.json?["merge"]?.array?.first?["code"] == "INVALID_DATA", "the retry of a merge that was done")
        }
    }

    /// §6 "Timeline" and §9 "audit log": the survivor tells its children's history, and each participant has an entry under the
    /// journal's id.
    @Test(arguments: TestServer.engines)
    func theSurvivorTellsTheHistoryOfItsChildren(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add("Leads", ["M", "A", "B"].map { ["Last_Name": .string($0)] })
            await bench.send("PUT", "Leads/\(ids[1])", ["data": [["City": "Oslo"]]])
            let merged = await bench.merge("Leads", ids[0], [(ids[1], ["City"]), (ids[2], ["Last_Name"])])
            let journal = merged.json?["merge"]?.array?.first?["details"]?["journal_id"]?.string ?? ""
            func entries() async -> [JSONValue] {
                await bench.send("GET", "Leads/\(ids[0])/__timeline").json?["__timeline"]?.array ?? []
            }
            let told = await entries()
            let merge = told.first { $0["action"] == "find_and_merge_duplicate" }
            #expect(merge?["source"] == "findandmerge")
            let fields = Set((merge?["field_history"]?.array ?? []).compactMap { $0["api_name"]?.string })
            #expect(fields.isSuperset(of: ["City", "Last_Name"]), "\(merge ?? .null)")
            for id in ids {
                #expect(told.contains { $0["action"] == "added" && $0["record"]?["id"] == .string(id) }, "\(id)")
            }
            #expect(told.contains { $0["action"] == "updated" && $0["record"]?["id"] == .string(ids[1]) })
            // Under the journal's id: one entry for each participant, and what the fields came from in the journal's request.
            let audit = try await bench.server.services.database.run(.read) { tx in
                try tx.rows(
                    "SELECT record_id, kind FROM sys_change WHERE group_id = \(RecordID(journal) ?? RecordID(raw: 0)) AND kind IN ('find_and_merge_duplicate', 'merged_away') ORDER BY record_id"
                ) { "\($0.integer(0) ?? 0) \($0.text(1) ?? "")" }
            }
            let wanted = ["\(ids[0]) find_and_merge_duplicate", "\(ids[1]) merged_away", "\(ids[2]) merged_away"]
            #expect(Set(audit) == Set(wanted), "\(audit)")
            // Taken back, the children's history is theirs again.
            #expect(await bench.undo("Leads", ids[0], merged).status == 200)
            let after = await entries()
            #expect(!after.contains { $0["record"]?["id"] == .string(ids[1]) }, "\(after)")
            #expect(after.first?["action"] == "unmerged", "\(after.first ?? .null)")
            #expect(await bench.send("GET", "Leads/\(ids[1])").header("X-Merged-Into") == nil)
            let deleted = await bench.send("GET", "Leads/deleted?type=all")
            #expect(deleted.status == 204, "\(deleted.text)")
        }
    }
}
