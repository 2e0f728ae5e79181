import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Related lists, and notes through them. Contract: related-records, 161; notes, 235 to 238.
@Suite struct RelatedListTests {
    /// Fields metadata: the contact of an activity is a contact; a lead, as any other record, is what it is related to.
    @Test(arguments: TestServer.engines) func aLeadIsWhatAnActivityIsRelatedTo(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = RecordBench(server: server, token: try await server.token())
            let lead = try await bench.add("Leads", ["Last_Name": "Kim"])
            let wrong = await bench.send("POST", "Tasks", ["data": [["Subject": "x", "Who_Id": ["id": .string(lead)]]]])
            let refusal = wrong.json?["data"]?.array?.first
            #expect(refusal?["code"] == "INVALID_DATA" && refusal?["details"]?["api_name"] == "Who_Id", "\(wrong.text)")
            let task = try await bench.add("Tasks", ["Subject": "x", "What_Id": ["id": .string(lead)], "$se_module": "Leads"])
            let shown = await bench.get("Tasks", task)
            #expect(shown["What_Id"]?["id"]?.string == lead && shown["$se_module"] == "Leads" && shown["Who_Id"]?.isNull == true)
            let listed = await bench.send("GET", "Leads/\(lead)/Tasks?fields=Subject").json?["data"]?.array
            #expect(listed?.map { $0["id"]?.string } == [task])
        }
    }

    @Test(arguments: TestServer.engines)
    func listsShowWhatHangsOnARecord(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let account = try await api.insert("Accounts", [["Account_Name": "Acme"], ["Account_Name": "Beta"]])
            let contacts = try await api.insert(
                "Contacts",
                [
                    ["Last_Name": "A", "Account_Name": .string(account[0])], ["Last_Name": "B", "Account_Name": .string(account[0])],
                    ["Last_Name": "C"],
                ])
            #expect(await api.column("Last_Name", "Accounts/\(account[0])/Contacts?fields=Last_Name") == ["B", "A"])
            let list = await api.send("GET", "Accounts/\(account[0])/contacts?fields=Last_Name,Nope&per_page=1")
            #expect(
                list.info["more_records"] == true && list.info["count"] == 1 && list.rows[0].members?.map(\.name) == ["Last_Name", "id"])
            let next = list.info["next_page_token"]?.string ?? ""
            let second = await api.send("GET", "Accounts/\(account[0])/contacts?fields=Last_Name,Nope&per_page=1&page_token=\(next)")
            #expect(second.rows[0]["Last_Name"] == "A" && second.info["more_records"] == false)
            let back = second.info["previous_page_token"]?.string ?? ""
            #expect(
                await api.send("GET", "Accounts/\(account[0])/contacts?fields=Last_Name,Nope&per_page=1&page_token=\(back)").rows
                    == list.rows)
            #expect(
                await api.send("GET", "Accounts/\(account[1])/contacts?fields=Last_Name,Nope&per_page=1&page_token=\(next)").code
                    == "TOKEN_BOUND_DATA_MISMATCH")
            #expect(
                await api.column("Last_Name", "Accounts/\(account[0])/Contacts?fields=Last_Name&ids=\(contacts[0]),\(contacts[2])") == ["A"]
            )
            #expect(
                await api.column("Last_Name", "Accounts/\(account[0])/Contacts?fields=Last_Name&sort_by=Created_Time&sort_order=asc") == [
                    "A", "B",
                ])
            #expect(await api.send("GET", "Accounts/\(account[1])/Contacts?fields=id").status == 204)
            #expect(await api.send("GET", "Accounts/\(account[0])/Contacts/\(contacts[0])").rows.first?["Last_Name"] == "A")
            #expect(await api.send("GET", "Accounts/\(account[0])/Contacts/\(contacts[2])").status == 204, "it hangs on no account")
            #expect(await api.send("GET", "Accounts/\(account[0])/Contacts?fields=id").status == 200)

            // A list that gathers two ways: deals of a contact, and those in which it has a role.
            let deal = try await api.insert(
                "Deals",
                [
                    ["Deal_Name": "D1", "Stage": "Qualification", "Contact_Name": .string(contacts[0])],
                    ["Deal_Name": "D2", "Stage": "Qualification"],
                ])
            #expect(await api.column("Deal_Name", "Contacts/\(contacts[0])/Deals?fields=Deal_Name") == ["D1"])
            #expect(await api.send("GET", "Deals/\(deal[0])/Stage_History?fields=Stage").rows.first?["Stage"] == "Qualification")
            #expect(await api.send("GET", "Deals/\(deal[1])/Contact_Roles?fields=id").status == 204)

            let wrong: [(String, String, String, JSONValue)] = [
                ("Accounts/\(account[0])/Contacts", "REQUIRED_PARAM_MISSING", "param", "fields"),
                ("Accounts/\(account[0])/Nope?fields=id", "INVALID_DATA", "resource_path_index", 2),
                ("Accounts/1/Contacts?fields=id", "INVALID_DATA", "resource_path_index", 1),
                ("Accounts/x/Contacts?fields=id", "INVALID_DATA", "resource_path_index", 1),
                ("Accounts/\(contacts[0])/Contacts?fields=id", "INVALID_DATA", "resource_path_index", 1),
                ("Nope/1/Contacts?fields=id", "INVALID_MODULE", "resource_path_index", 0),
                ("Accounts/\(account[0])/Contacts/x", "INVALID_DATA", "resource_path_index", 3),
                ("Accounts/\(account[0])/Contacts?fields=id&sort_by=Last_Name", "INVALID_DATA", "param", "sort_by"),
            ]
            for (path, code, key, value) in wrong {
                let answer = await api.send("GET", path)
                #expect(answer.status == 400 && answer.code == code && answer.json?["details"]?[key] == value, "\(path) \(answer.text)")
            }
        }
    }

    /// Open and closed activities: metadata/related_lists, "via".
    @Test(arguments: TestServer.engines)
    func activitiesAreOpenOrClosed(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let lead = try await api.insert("Leads", [["Last_Name": "Kim"]])[0]
            let contact = try await api.insert("Contacts", [["Last_Name": "Roy"]])[0]
            func on(_ fields: JSONValue) -> JSONValue {
                var item = fields
                item["What_Id"] = .string(lead)
                item["$se_module"] = "Leads"
                return item
            }
            _ = try await api.insert(
                "Tasks",
                [on(["Subject": "open"]), on(["Subject": "done", "Status": "Completed"]), ["Subject": "his", "Who_Id": .string(contact)]])
            func event(_ title: JSONValue, _ year: String) -> JSONValue {
                on([
                    "Event_Title": title, "Start_DateTime": .string("\(year)-02-01T10:00:00Z"),
                    "End_DateTime": .string("\(year)-02-01T11:00:00Z"),
                ])
            }
            _ = try await api.insert("Events", [event("past", "2020"), event("to come", "2090")])
            func call(_ subject: JSONValue, _ status: JSONValue) -> JSONValue {
                on([
                    "Subject": subject, "Call_Type": "Outbound", "Call_Start_Time": "2025-02-01T10:00:00Z", "Call_Duration": "01:00",
                    "Outgoing_Call_Status": status,
                ])
            }
            _ = try await api.insert("Calls", [call("planned", "Scheduled"), call("made", "Completed")])
            for (list, name, expected) in [
                ("Tasks", "Subject", "open"), ("Tasks_History", "Subject", "done"), ("Events", "Event_Title", "to come"),
                ("Events_History", "Event_Title", "past"),
                ("Calls", "Subject", "planned"), ("Calls_History", "Subject", "made"),
            ] { #expect(await api.column(name, "Leads/\(lead)/\(list)?fields=\(name)") == [.string(expected)], "\(list)") }
            #expect(await api.column("Subject", "Contacts/\(contact)/Tasks?fields=Subject") == ["his"])
            #expect(await api.column("$module", "Leads/\(lead)/Calls?fields=Subject") == ["Calls"])
            #expect(await api.column("What_Id", "Leads/\(lead)/Tasks?fields=What_Id").first?["id"] == .string(lead))
        }
    }

    @Test(arguments: TestServer.engines)
    func notesAreWrittenThroughTheModuleAndTheRecord(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let leads = try await api.insert("Leads", [["Last_Name": "Kim"], ["Last_Name": "Roy"]])
            func parent(_ id: String, _ module: JSONValue = "Leads") -> JSONValue { ["id": .string(id), "module": ["api_name": module]] }
            // 235, both forms; the path wins over the body.
            let first = await api.send(
                "POST", "Notes", ["data": [["Note_Title": "T", "Note_Content": "one", "Parent_Id": parent(leads[0])]]])
            #expect(first.status == 201 && first.rows[0]["message"] == "record added")
            let more = await api.send(
                "POST", "Leads/\(leads[0])/Notes",
                ["data": [["Note_Content": "two", "Parent_Id": parent(leads[1])], ["Note_Title": "empty"]]])
            #expect(
                more.status == 207 && more.codes == ["SUCCESS", "MANDATORY_NOT_FOUND"]
                    && more.rows[1]["details"]?["api_name"] == "Note_Content")
            let one = first.refusal["id"]?.string ?? ""
            let two = more.refusal["id"]?.string ?? ""
            let other = try await api.insert("Notes", [["Note_Content": "other", "Parent_Id": parent(leads[1])]])[0]
            let refused: [(JSONValue, String, String)] = [
                (["Note_Content": "x"], "MANDATORY_NOT_FOUND", "Parent_Id"),
                (["Note_Content": "x", "Parent_Id": parent("1")], "INVALID_DATA", "Parent_Id"),
                (["Note_Content": "x", "Parent_Id": parent(leads[0], "Contacts")], "INVALID_DATA", "Parent_Id"),
                (["Note_Content": "x", "Parent_Id": parent(leads[0], "Nope")], "INVALID_DATA", "module"),
                (["Note_Content": "x", "Parent_Id": .string(leads[0])], "DEPENDENT_FIELD_MISSING", "module"),
                (["Parent_Id": parent(leads[0])], "MANDATORY_NOT_FOUND", "Note_Content"),
                (["Note_Content": 5, "Parent_Id": parent(leads[0])], "INVALID_DATA", "Note_Content"),
            ]
            for (item, code, name) in refused {
                let answer = await api.send("POST", "Notes", ["data": [item]])
                #expect(
                    answer.status == 400 && answer.codes == [code] && answer.refusal["api_name"] == .string(name),
                    "\(item.text) \(answer.text)")
            }
            #expect(await api.send("POST", "Leads/1/Notes", ["data": [["Note_Content": "x"]]]).status == 400)

            // 236: oldest first.
            #expect(await api.column("Note_Content", "Leads/\(leads[0])/Notes?fields=Note_Content") == ["one", "two"])
            #expect(await api.column("Note_Content", "Notes?fields=Note_Content") == ["one", "two", "other"])
            let shown = await api.send("GET", "Leads/\(leads[0])/Notes/\(two)").rows.first ?? .null
            #expect(
                shown["Parent_Id"]?["id"] == .string(leads[0]) && shown["Parent_Id"]?["name"] == "Kim"
                    && shown["Parent_Id"]?["module"]?["api_name"] == "Leads")

            // 237: title and content change, nothing else does.
            let changed = await api.send(
                "PUT", "Leads/\(leads[0])/Notes",
                [
                    "data": [
                        ["id": .string(one), "Note_Content": "one!", "Parent_Id": parent(leads[1])],
                        ["id": .string(other), "Note_Content": "stolen"], ["Note_Content": "no id"],
                    ]
                ])
            #expect(
                changed.status == 207 && changed.codes == ["SUCCESS", "INVALID_DATA", "MANDATORY_NOT_FOUND"]
                    && changed.rows[0]["message"] == "record updated")
            #expect(await api.send("PUT", "Leads/\(leads[0])/Notes/\(two)", ["data": [["Note_Title": "Two"]]]).status == 200)
            #expect(await api.send("PUT", "Leads/\(leads[0])/Notes/\(other)", ["data": [["Note_Title": "x"]]]).codes == ["INVALID_DATA"])
            #expect(await api.send("PUT", "Notes/\(two)", ["data": [["Note_Content": .null]]]).codes == ["MANDATORY_NOT_FOUND"])
            #expect(
                await api.send("PUT", "Notes", ["data": [["id": .string(two), "Parent_Id": parent(leads[1]), "Note_Content": "2"]]]).status
                    == 200)
            #expect(await api.column("Note_Content", "Leads/\(leads[0])/Notes?fields=Note_Content") == ["one!", "2"])
            #expect(await api.record("Notes", two)["Note_Title"] == "Two")
            #expect(await api.record("Notes", other)["Note_Content"] == "other")
            for path in ["Leads/1/Notes", "Leads/x/Notes", "Leads/1/Notes/\(two)"] {
                #expect(
                    await api.send("PUT", path, ["data": [["id": .string(two), "Note_Content": "x"]]]).json?["details"]?[
                        "resource_path_index"] == 1, "\(path)")
            }
            #expect(
                await api.send("PUT", "Leads/\(leads[0])/Notes/x", ["data": [["Note_Content": "x"]]]).json?["details"]?[
                    "resource_path_index"] == 3)

            // 238.
            let gone = await api.send("DELETE", "Leads/\(leads[0])/Notes?ids=\(one),\(other)")
            #expect(gone.status == 207 && gone.codes == ["SUCCESS", "INVALID_DATA"] && gone.rows[0]["message"] == "record deleted")
            #expect(await api.send("DELETE", "Leads/\(leads[0])/Notes/\(other)").status == 400)
            #expect(await api.send("DELETE", "Leads/\(leads[0])/Notes/\(two)").status == 200)
            #expect(await api.send("DELETE", "Leads/\(leads[0])/Notes").code == "REQUIRED_PARAM_MISSING")
            #expect(await api.send("DELETE", "Leads/\(leads[0])/Notes?ids=x").code == "UNABLE_TO_PARSE_DATA_TYPE")
            #expect(await api.send("DELETE", "Leads/1/Notes?ids=\(other)").code == "INVALID_DATA")
            #expect(await api.column("Note_Content", "Notes?fields=Note_Content") == ["other"])

            // Both scopes are needed: that of the record's module and that of notes.
            for (scopes, status) in [
                ("ZohoCRM.modules.leads.ALL", 401), ("ZohoCRM.modules.notes.ALL", 401),
                ("ZohoCRM.modules.leads.ALL,ZohoCRM.modules.notes.ALL", 200),
            ] {
                let token = try await server.token(scopes)
                let path = "/crm/v7/Leads/\(leads[1])/Notes"
                #expect(await server.send("GET", path + "?fields=id", token: token).status == status, "\(scopes)")
                #expect(await server.send("PUT", path + "/\(other)", ["data": [["Note_Title": "t"]]], token: token).status == status)
                #expect(
                    await server.send("POST", path, ["data": [["Note_Content": "t"]]], token: token).status == (status == 200 ? 201 : 401))
                #expect(await server.send("DELETE", path + "/\(other)", token: token).status == status)
            }
        }
    }

    /// notes, 236: the list of all notes is for administrators; its order, its paging, its keys.
    @Test(arguments: TestServer.engines)
    func allNotesAreListedForAdministrators(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let lead = try await api.insert("Leads", [["Last_Name": "Kim"]])[0]
            let notes = (1...3).map { number -> JSONValue in ["Note_Title": .string("N\(number)"), "Note_Content": "text"] }
            let made = await api.send("POST", "Leads/\(lead)/Notes", ["data": .array(notes)])
            #expect(made.status == 201, "\(made.text)")
            let list = await api.send("GET", "Notes?fields=Note_Title,Parent_Id,Owner,$voice_note&per_page=2")
            #expect(list.rows.map { $0["Note_Title"] } == ["N1", "N2"] && list.info["sort_order"] == "asc", "\(list.text)")
            #expect(list.rows[0]["$voice_note"] == false && list.rows[0]["Parent_Id"]?["module"]?["api_name"] == "Leads")
            let next = list.info["next_page_token"]?.string ?? ""
            let more = await api.send("GET", "Notes?fields=Note_Title,Parent_Id,Owner,$voice_note&per_page=2&page_token=\(next)")
            #expect(more.rows.map { $0["Note_Title"] } == ["N3"])
            #expect(await api.column("Note_Title", "Notes?fields=Note_Title&sort_by=id&sort_order=desc") == ["N3", "N2", "N1"])
            let one = made.rows[0]["details"]?["id"]?.string ?? ""
            let single = await api.record("Notes", one)
            #expect(single["$is_shared_to_client"] == false && single["$attachments"] == .null && single["Note_Content"] == "text")
            #expect(await api.column("Note_Title", "Notes?fields=Note_Title&ids=\(one)") == ["N1"])
            #expect(await api.send("GET", "Notes").code == "REQUIRED_PARAM_MISSING")
            let later = [("If-Modified-Since", "2090-01-01T00:00:00Z")]
            #expect(await api.send("GET", "Notes?fields=id", headers: later).status == 304)

            let plain = try await api.other()
            try await server.services.changeMetadata { scope in
                let standard = scope.catalog.documents(.profile).first { $0.body["name"] == "Standard" }
                for user in scope.catalog.documents(.user) where user.id.raw != server.administrator.id.raw {
                    var body = user.body
                    body["profile"] = ["name": "Standard", "id": standard.map { .id($0.id) } ?? .null]
                    try scope.replace(user.id, body: body)
                }
            }
            let refused = await plain.send("GET", "Notes?fields=id")
            #expect(refused.status == 403 && refused.code == "NOT_SUPPORTED", "\(refused.text)")
            #expect(await plain.send("GET", "Leads/\(lead)/Notes?fields=Note_Title").rows.count == 3)
            #expect(await plain.send("GET", "Notes/\(one)").status == 200)
        }
    }

    /// photos-and-attachments, 195: a file comes with its attachment, through the record it is added to.
    @Test(arguments: TestServer.engines)
    func noAttachmentIsMadeWithoutAFile(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let lead = try await api.insert("Leads", [["Last_Name": "Kim"]])[0]
            let row: JSONValue = ["File_Name": "a.txt", "Parent_Id": ["module": ["api_name": "Leads"], "id": .string(lead)]]
            for path in ["Attachments", "Attachments/upsert"] {
                let answer = await api.send("POST", path, ["data": [row]])
                #expect(answer.status == 400 && answer.code == "INVALID_MODULE", "\(path) \(answer.text)")
            }
            #expect(await api.send("GET", "Leads/\(lead)/Attachments?fields=id").status == 204)
        }
    }
}
