import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Reading records. Contract: records, 124, 132, 133; common, §7 and §8.
@Suite struct RecordListTests {
    private func people(_ count: Int) -> [JSONValue] {
        (1...count).map { ["Last_Name": .string("Person \($0)"), "Email": .string("p\($0)@crm.example")] }
    }

    @Test(arguments: TestServer.engines)
    func aListTakesItsParametersOrSaysWhichOneIsWrong(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            #expect(await api.send("GET", "Contacts?fields=id").status == 204)
            let ids = try await api.insert("Contacts", people(5))

            let first = await api.send("GET", "Contacts?fields=Last_Name,Nonsense,,Email&per_page=2")
            #expect(first.status == 200 && first.rows.first?.members?.map(\.name) == ["Last_Name", "Email", "id"])
            #expect(first.rows.map { $0["id"] } == [.string(ids[4]), .string(ids[3])], "newest id first")
            #expect(
                first.info["per_page"] == 2 && first.info["count"] == 2 && first.info["page"] == 1 && first.info["more_records"] == true)
            #expect(first.info["sort_by"] == "id" && first.info["sort_order"] == "desc" && first.info["previous_page_token"] == .null)
            #expect(first.info["call"] == false && first.info["email"] == false && first.info["page_token_expiry"]?.string != nil)
            // Names the module does not have are left out, even when nothing else is asked for.
            #expect(await api.send("GET", "Contacts?fields=Nonsense").rows.first?.members?.map(\.name) == ["id"])
            #expect(
                await api.send("GET", "Contacts?fields=Last_Name,$approval_state,$event_cancelled,$nope&per_page=1").rows == [
                    ["Last_Name": "Person 5", "id": .string(ids[4]), "$approval_state": "approved"]
                ])
            #expect(await api.column("id", "Contacts?fields=id&page=3&per_page=2") == [.string(ids[0])])
            #expect(await api.send("GET", "Contacts?fields=id&page=4&per_page=2").status == 204)
            #expect(await api.column("id", "Contacts?fields=id&sort_order=asc&per_page=1") == [.string(ids[0])])
            #expect(await api.column("id", "Contacts?fields=id&sort_by=Created_Time&sort_order=asc&per_page=1") == [.string(ids[0])])
            #expect(await api.column("id", "Contacts?fields=id&ids=\(ids[1]),%20\(ids[3]),1") == [.string(ids[3]), .string(ids[1])])
            #expect(await api.send("GET", "contacts?fields=id&approved=both&converted=both&per_page=1000&page=").info["per_page"] == 200)
            #expect(await api.send("GET", "Contacts?fields=id&approved=false").status == 204)

            let wrong: [(String, String, String)] = [
                ("", "REQUIRED_PARAM_MISSING", "fields"), ("?fields=", "REQUIRED_PARAM_MISSING", "fields"),
                ("?fields=" + (1...51).map { "f\($0)" }.joined(separator: ","), "LIMIT_EXCEEDED", "fields"),
                ("?fields=id&page=0", "INVALID_DATA", "page"), ("?fields=id&page=-1", "INVALID_DATA", "page"),
                ("?fields=id&page=x", "UNABLE_TO_PARSE_DATA_TYPE", "page"),
                ("?fields=id&per_page=1.5", "UNABLE_TO_PARSE_DATA_TYPE", "per_page"),
                ("?fields=id&per_page=0", "INVALID_DATA", "per_page"),
                ("?fields=id&page=11&per_page=200", "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "page"),
                ("?fields=id&page=9223372036854775807", "INVALID_DATA", "page"),
                ("?fields=id&page=2001&per_page=1", "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "page"),
                ("?fields=id&page=9223372036854775808", "UNABLE_TO_PARSE_DATA_TYPE", "page"),
                ("?fields=id&sort_by=Last_Name", "INVALID_DATA", "sort_by"), ("?fields=id&sort_order=up", "INVALID_DATA", "sort_order"),
                ("?fields=id&ids=1,x", "UNABLE_TO_PARSE_DATA_TYPE", "ids"), ("?fields=id&ids=-1", "UNABLE_TO_PARSE_DATA_TYPE", "ids"),
                ("?fields=id&ids=99999999999999999999", "UNABLE_TO_PARSE_DATA_TYPE", "ids"), ("?fields=id&cvid=77", "INVALID_DATA", "cvid"),
                ("?fields=id&page_token=abc", "INVALID_DATA", "page_token"), ("?fields=id&approved=maybe", "INVALID_DATA", "approved"),
                ("?fields=id%00", "INVALID_DATA", "fields"),
            ]
            for (query, code, parameter) in wrong {
                let answer = await api.send("GET", "Contacts\(query)")
                #expect(
                    answer.status == 400 && answer.code == code && answer.json?["details"]?["param"] == .string(parameter),
                    "\(query.prefix(60)) \(answer.text)")
            }
            let view = try #require(
                await api.send("GET", "settings/custom_views?module=Contacts").json?["custom_views"]?.array?.first?["id"]?.string)
            #expect(await api.send("GET", "Contacts?fields=id&cvid=\(view)&sort_by=id").code == "AMBIGUITY_DURING_PROCESSING")
            #expect(await api.send("GET", "Leads?fields=id&cvid=\(view)").code == "INVALID_DATA", "a view of another module")
            #expect(await api.send("GET", "Leads?fields=id&converted=perhaps").code == "INVALID_DATA")
            // 2,000 rows by number is the last page there is (common, §7).
            #expect(await api.send("GET", "Contacts?fields=id&page=10&per_page=200").status == 204)
        }
    }

    @Test(arguments: TestServer.engines)
    func tokensLeadForwardAndBack(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            _ = try await api.insert("Contacts", people(4))
            _ = try await api.insert("Contacts", people(3))
            for order in ["sort_order=desc", "sort_order=asc", "sort_by=Modified_Time", "sort_by=Created_Time&sort_order=asc"] {
                let path = "Contacts?fields=Last_Name&per_page=3&\(order)"
                var pages = [await api.send("GET", path)]
                while let token = pages.last?.info["next_page_token"]?.string {
                    pages.append(await api.send("GET", "\(path)&page_token=\(token)"))
                }
                #expect(pages.map { $0.rows.count } == [3, 3, 1] && pages.map { $0.info["page"] } == [1, 2, 3], "\(order)")
                #expect(Set(pages.flatMap(\.rows)).count == 7)
                #expect(pages.map { $0.info["more_records"] } == [true, true, false] && pages[2].info["page_token_expiry"]?.string != nil)
                for (index, page) in pages.enumerated() {
                    let numbered = await api.send("GET", "\(path)&page=\(index + 1)")
                    #expect(numbered.rows == page.rows)
                    guard index > 0 else { continue }
                    for later in [page, numbered] {
                        let token = try #require(later.info["previous_page_token"]?.string)
                        let back = await api.send("GET", "\(path)&page_token=\(token)")
                        #expect(
                            back.rows == pages[index - 1].rows && back.info["page"] == .integer(index) && back.info["more_records"] == true)
                        #expect((back.info["previous_page_token"] == .null) == (index == 1))
                        let again = await api.send("GET", "\(path)&page_token=\(back.info["next_page_token"]?.string ?? "")")
                        #expect(again.rows == page.rows)
                    }
                }
            }
        }
    }

    /// Contract: records, 124, errors; common, §7.
    @Test(arguments: TestServer.engines)
    func aTokenIsWorthNothingElsewhere(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var api = try await RecordCaller(server)
            let other = try await api.other()
            _ = try await api.insert("Contacts", people(3))
            let path = "Contacts?fields=id&per_page=1"
            let second = await api.send("GET", "\(path)&page=2")
            for name in ["next_page_token", "previous_page_token"] {
                let token = try #require(second.info[name]?.string)
                #expect(await api.send("GET", "\(path)&page_token=\(token)").status == 200)
                #expect(await other.send("GET", "\(path)&page_token=\(token)").code == "INVALID_DATA")
                #expect(
                    await api.send("GET", "Contacts?fields=id,Email&per_page=1&page_token=\(token)").code == "TOKEN_BOUND_DATA_MISMATCH")
                #expect(await api.send("GET", "Accounts?fields=id&per_page=1&page_token=\(token)").code == "TOKEN_BOUND_DATA_MISMATCH")
                #expect(await api.send("GET", "\(path)&sort_order=asc&page_token=\(token)").code == "TOKEN_BOUND_DATA_MISMATCH")
                #expect(await api.send("GET", "\(path)&page=2&page_token=\(token)").code == "AMBIGUITY_DURING_PROCESSING")
                for index in [0, token.count / 2, token.count - 1] {
                    var letters = Array(token)
                    letters[index] = letters[index] == "1" ? "2" : "1"
                    #expect(await api.send("GET", "\(path)&page_token=\(String(letters))").code == "INVALID_DATA")
                }
                for odd in [token + ".", "." + token, token + "0", String(token.dropLast()), "..", "a.b.c", "%00"] {
                    #expect(await api.send("GET", "\(path)&page_token=\(odd)").code == "INVALID_DATA", "\(odd)")
                }
            }
            server.clock.advance(seconds: 25 * 3600)
            api.token = try await server.token(RecordCaller.scopes)
            #expect(await api.send("GET", "\(path)&page_token=\(second.info["next_page_token"]?.string ?? "")").code == "EXPIRED_VALUE")
        }
    }

    @Test(arguments: TestServer.engines)
    func whatHasNotChangedIsNotSentAgain(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let ids = try await api.insert("Contacts", people(2))
            // Instants are shown in seconds, and this server's are finer.
            let long = "2020-01-01T00:00:00+00:00"
            let later = "2099-01-01T00:00:00Z"
            func since(_ time: String) -> [(String, String)] { [("If-Modified-Since", time)] }
            #expect(await api.send("GET", "Contacts?fields=id", headers: since(long)).rows.count == 2)
            let none = await api.send("GET", "Contacts?fields=id", headers: since(later))
            #expect(none.status == 304 && none.body.isEmpty && none.header("content-type") == nil)
            #expect(await api.send("GET", "Contacts/\(ids[0])", headers: since(long)).rows.count == 1)
            #expect(await api.send("GET", "Contacts/\(ids[0])", headers: since(later)).status == 304)
            for path in [
                "Contacts?fields=id", "Contacts/\(ids[0])", "Contacts/deleted", "Contacts/\(ids[0])/Notes?fields=id", "users",
                "settings/modules",
            ] {
                #expect(await api.send("GET", path, headers: since("yesterday")).code == "INVALID_DATA", "\(path)")
            }
            for path in ["users", "settings/modules", "settings/modules/Leads"] {
                #expect(await api.send("GET", path, headers: since(later)).status == 304, "\(path)")
                #expect(await api.send("GET", path, headers: since(long)).status == 200)
            }
            #expect(await api.send("DELETE", "Contacts/\(ids[0])").status == 200)
            #expect(await api.send("GET", "Contacts/deleted", headers: since(long)).rows.count == 1)
            #expect(await api.send("GET", "Contacts/deleted", headers: since(later)).status == 304)
        }
    }

    @Test(arguments: TestServer.engines)
    func aSingleRecordComesWhole(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let id = try await api.insert("Contacts", [["Last_Name": "Kim", "First_Name": "Lee", "Tag": [["name": "vip"]]]])[0]
            let answer = await api.send("GET", "Contacts/\(id)")
            let record = answer.rows.first ?? .null
            #expect(answer.status == 200 && answer.json?["info"] == nil && record["id"] == .string(id))
            #expect(record["Full_Name"] == "Lee Kim" && record["Owner"]?["email"] == .string(server.administrator.email))
            #expect(record["Tag"]?.array?.first?["name"] == "vip" && record["Layout"]?["name"] == "Standard")
            #expect(record["Email"] == .null && record["Email_Opt_Out"] == false && record["Record_Status__s"] == "Available")
            for key in ["$approval", "$editable", "$in_merge", "$currency_symbol", "$has_more", "$approval_state"] {
                #expect(record[key] != nil, "\(key)")
            }
            #expect(await api.send("GET", "Contacts/\(id)?fields=First_Name,Nope").rows == [["First_Name": "Lee", "id": .string(id)]])
            // An id that names nothing here: 204, the other of the two answers the contract knows (records, 124, errors).
            let lead = try await api.insert("Leads", [["Last_Name": "Kim"]])[0]
            for odd in ["1", "0", "-1", "abc", "99999999999999999999", lead] {
                #expect(await api.send("GET", "Contacts/\(odd)").status == 204, "\(odd)")
            }
        }
    }

    /// Contract: records, 127 and 132.
    @Test(arguments: TestServer.engines)
    func deletedRecordsAreListedAndNotCounted(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            #expect(await api.send("GET", "Contacts/deleted").status == 204)
            let ids = try await api.insert("Contacts", people(4))
            let note = try await api.insert(
                "Notes", [["Note_Content": "x", "Parent_Id": ["id": .string(ids[0]), "module": ["api_name": "Contacts"]]]])[0]
            #expect(await api.count("Contacts") == 4)

            let mixed = await api.send("DELETE", "Contacts?ids=\(ids[0]),1,\(ids[1]),\(ids[1])")
            #expect(mixed.status == 207 && mixed.codes == ["SUCCESS", "INVALID_DATA", "SUCCESS", "INVALID_DATA"])
            #expect(
                mixed.rows[0] == ["code": "SUCCESS", "details": ["id": .string(ids[0])], "message": "record deleted", "status": "success"])
            let again = await api.send("DELETE", "Contacts?ids=\(ids[0])&wf_trigger=false")
            #expect(again.status == 400 && again.codes == ["INVALID_DATA"])
            #expect(await api.send("DELETE", "Contacts/\(ids[2])").status == 200)
            #expect(await api.count("Contacts") == 1)
            #expect(await api.send("GET", "Notes/\(note)").status == 204, "a note goes with its record")

            let list = await api.send("GET", "Contacts/deleted")
            #expect(list.rows.map { $0["id"]?.string }.contains(ids[2]) && list.rows.count == 3 && list.info["more_records"] == false)
            let line = list.rows.first { $0["id"] == .string(ids[0]) } ?? .null
            #expect(
                line["type"] == "recycle" && line["display_name"] == "Person 1"
                    && line["deleted_by"]?["name"] == .string(server.administrator.fullName))
            #expect(await api.send("GET", "Contacts/deleted?type=permanent").status == 204)
            #expect(await api.send("GET", "Contacts/deleted?type=recycle&per_page=2&page=2").rows.count == 1)
            #expect(await api.send("GET", "Contacts/deleted?type=gone").code == "PATTERN_NOT_MATCHED")
            for (page, status) in [("9223372036854775807", 400), ("4611686018427387904", 400), ("1000000000", 204)] {
                #expect(await api.send("GET", "Contacts/deleted?page=\(page)").status == status)
            }

            for (path, code) in [
                ("Contacts", "REQUIRED_PARAM_MISSING"), ("Contacts?ids=", "REQUIRED_PARAM_MISSING"),
                ("Contacts?ids=a", "UNABLE_TO_PARSE_DATA_TYPE"),
                ("Contacts?ids=" + (1...101).map(String.init).joined(separator: ","), "LIMIT_EXCEEDED"),
            ] { #expect(await api.send("DELETE", path).code == code, "\(path.prefix(40))") }
            #expect(await api.send("DELETE", "Contacts/abc").code == "INVALID_DATA")
            #expect(await api.count("Contacts") == 1)
        }
    }

    /// Contract: records, 133.
    @Test(arguments: TestServer.engines)
    func aCountTakesASearchOrAView(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            #expect(await api.count("Contacts") == 0)
            _ = try await api.insert("Contacts", people(3))
            #expect(await api.send("GET", "Contacts/actions/count").json == ["count": 3])
            #expect(await api.send("GET", "Contacts/actions/count?criteria=(Email:equals:p2@crm.example)").json == ["count": 1])
            #expect(await api.send("GET", "Contacts/actions/count?email=P1@crm.example").json == ["count": 1])
            #expect(await api.send("GET", "Contacts/actions/count?word=person").json == ["count": 3])
            #expect(await api.send("GET", "Contacts/actions/count?criteria=(Email:above:3)").code == "INVALID_QUERY")
            let views = await api.send("GET", "settings/custom_views?module=Contacts").json?["custom_views"]?.array ?? []
            let view = views.first?["id"]?.string ?? ""
            #expect(await api.send("GET", "Contacts/actions/count?cvid=\(view)").json == ["count": 3])
            #expect(await api.send("GET", "Contacts/actions/count?cvid=\(view)&word=person").code == "AMBIGUITY_DURING_PROCESSING")
        }
    }

    @Test(arguments: TestServer.engines)
    func everyStandardViewWorks(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let today =
                server.clock.now().date(offsetMinutes: server.services.catalog.current().zone.offsetMinutes(at: server.clock.now()))?.iso
                ?? ""
            _ = try await api.insert("Leads", [["Last_Name": "Kim", "Lead_Status": "Junk Lead"], ["Last_Name": "Roy"]])
            _ = try await api.insert(
                "Tasks",
                [
                    ["Subject": "today", "Due_Date": .string(today)], ["Subject": "late", "Due_Date": "2020-01-01"],
                    ["Subject": "done", "Due_Date": "2020-01-01", "Status": "Completed"],
                ])
            var found: [String: Int] = [:]
            for module in server.services.catalog.current().modules where module.table != nil {
                for view in await api.send("GET", "settings/custom_views?module=\(module.apiName)").json?["custom_views"]?.array ?? [] {
                    let answer = await api.send("GET", "\(module.apiName)?fields=id&cvid=\(view["id"]?.string ?? "")")
                    #expect([200, 204].contains(answer.status), "\(module.apiName) \(view["name"]?.string ?? "") \(answer.text)")
                    found["\(module.apiName) \(view["system_name"]?.string ?? "")"] = answer.rows.count
                }
            }
            #expect(
                found["Leads JUNKLEADVIEWS"] == 1 && found["Leads CONVERTEDVIEWS"] == 0 && found["Leads today"] == 2
                    && found["Leads MYVIEWS"] == 2)
            #expect(
                found["Tasks TODAYTASKS"] == 1 && found["Tasks OVERDUETASKS"] == 1 && found["Tasks CLOSEDTASKS"] == 1
                    && found["Tasks OPENTASKS"] == 2)
        }
    }
}
