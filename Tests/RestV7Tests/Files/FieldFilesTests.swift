import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

typealias TestServerEngine = Database.Engine

/// Values of file and image fields in records. Contract: common, §10; metadata/types; fields-attachments, 215.
@Suite struct FieldFilesTests {
    @Test(arguments: TestServer.engines) func aFieldShowsItsFilesAndGivesThem(_ engine: Database.Engine) async throws {
        try await FileFields.with(engine) { leads in
            let id = try await leads.create([
                "Papers": try await leads.files("a.pdf", "b.txt"),
                "Pictures": [
                    ["File_Id__s": try await leads.file("x.png", TinyImage.png()), "Description__s": "The front"]
                ],
            ])
            let papers = await leads.entries(id, "Papers")
            #expect(papers.map { $0["File_Name__s"] } == ["a.pdf", "b.txt"])
            let first = try #require(papers.first)
            #expect(
                first.members?.map(\.name).sorted() == [
                    "Created_By__s", "Created_Time__s", "File_Id__s", "File_Name__s", "Modified_By__s", "Modified_Time__s", "Owner__s",
                    "Size__s", "id",
                ])
            #expect(first["Size__s"] == "5")
            #expect(first["Owner__s"]?["name"] == .string(leads.server.administrator.fullName))
            #expect(first["Created_Time__s"]?.string?.contains("T") == true)
            let picture = try #require(await leads.entries(id, "Pictures").first)
            #expect(picture["Description__s"] == "The front")
            #expect(picture["Sequence_Number__s"] == 1)
            #expect(picture["Preview_Id__s"] == picture["File_Id__s"])
            let path = "/crm/v7/Leads/\(id)/actions/download_fields_attachment"
            let got = await leads.server.send("GET", "\(path)?fields_attachment_id=\(first["id"]?.string ?? "")", token: leads.token)
            #expect(got.status == 200)
            #expect(got.body == Array("a.pdf".utf8))
            #expect(got.header("Content-Type") == "application/pdf")
            #expect(
                await leads.server.send("GET", "/crm/v7/files?id=\(first["File_Id__s"]?.string ?? "")", token: leads.token).body
                    == Array("a.pdf".utf8))
            #expect(await leads.server.send("GET", path, token: leads.token).json?["code"] == "REQUIRED_PARAM_MISSING")
            let other = try await leads.create([:])
            for wrong in [
                "\(path)?fields_attachment_id=1", "\(path)?fields_attachment_id=x",
                "/crm/v7/Leads/\(other)/actions/download_fields_attachment?fields_attachment_id=\(first["id"]?.string ?? "")",
                "/crm/v7/Leads/1/actions/download_fields_attachment?fields_attachment_id=1",
            ] {
                let answer = await leads.server.send("GET", wrong, token: leads.token)
                #expect(answer.status == 400)
                #expect(answer.json?["code"] == "INVALID_DATA")
            }
            #expect(await leads.entries(other, "Papers").isEmpty)
            let listed =
                await leads.server.send("GET", "/crm/v7/Leads?fields=Papers&sort_by=id&sort_order=asc", token: leads.token).json?["data"]?
                .array ?? []
            #expect(listed.map { $0["Papers"]?.array?.count } == [2, nil])
        }
    }

    @Test(arguments: TestServer.engines) func writesAddAndRemoveFiles(_ engine: Database.Engine) async throws {
        try await FileFields.with(engine) { leads in
            let id = try await leads.create(["Papers": try await leads.files("a", "b")])
            #expect(await leads.update(id, ["Papers": try await leads.files("c")]).status == 200)
            #expect(await leads.names(id, "Papers") == ["a", "b", "c"], "a write adds")
            let gone: JSONValue = ["id": try await leads.id(id, "Papers", "b"), "_delete": .null]
            #expect(await leads.update(id, ["Papers": [gone, ["File_Id__s": try await leads.file("d", [1])]]]).status == 200)
            #expect(await leads.names(id, "Papers") == ["a", "c", "d"])
            #expect(await leads.update(id, ["Papers": [["id": try await leads.id(id, "Papers", "a")]]]).status == 200)
            #expect(await leads.update(id, ["Company": "Other"]).status == 200)
            #expect(await leads.names(id, "Papers") == ["a", "c", "d"], "what is not named stays")
            // One upload may stand in several records, and stays as long as one of them holds it.
            let shared = try await leads.file("s", [7])
            let one = try await leads.create(["Paper": [["File_Id__s": shared]]])
            let two = try await leads.create(["Paper": [["File_Id__s": shared]]])
            #expect(await leads.update(one, ["Paper": .null]).status == 200)
            #expect(await leads.names(one, "Paper") == [])
            #expect(await leads.names(two, "Paper") == ["s"])
            let logged = try await leads.server.services.database.run(.read) { tx in
                try tx.first("SELECT count(*) FROM sys_change WHERE kind = 'files_changed' AND field_id IS NOT NULL") { $0.integer(0) ?? 0 }
            }
            #expect(logged == 6)
        }
    }

    @Test(arguments: TestServer.engines) func fieldsMadeThroughTheAPIHoldFiles(_ engine: Database.Engine) async throws {
        try await FileFields.with(engine) { leads in
            let token = try await leads.server.token("ZohoCRM.settings.ALL")
            let made = await leads.server.send(
                "POST", "/crm/v7/settings/fields?module=Leads",
                ["fields": [["field_label": "Contract", "data_type": "fileupload", "length": 1]]], token: token)
            #expect(made.json?["fields"]?.array?.first?["code"] == "SUCCESS", "\(made.text)")
            let id = try await leads.create(["Contract": try await leads.files("c.pdf")])
            #expect(await leads.names(id, "Contract") == ["c.pdf"])
            #expect(
                await leads.update(id, ["Contract": try await leads.files("d.pdf")]).json?["data"]?.array?.first?["code"]
                    == "LIMIT_EXCEEDED")
        }
    }

    @Test(arguments: TestServer.engines) func whatDoesNotFitChangesNothing(_ engine: Database.Engine) async throws {
        try await FileFields.with(engine) { leads in
            let id = try await leads.create(["Papers": try await leads.files("1", "2", "3", "4"), "Paper": try await leads.files("p")])
            let text = try await leads.file("t.txt", [1])
            let foreign = try await leads.id(id, "Paper", "p")
            let cases: [(JSONValue, String, String)] = [
                (["Papers": [["File_Id__s": text], ["File_Id__s": text]]], "LIMIT_EXCEEDED", "$.data[0].Papers"),
                (["Paper": [["File_Id__s": text]]], "LIMIT_EXCEEDED", "$.data[0].Paper"),
                (["Papers": [["File_Id__s": "unknown"]]], "INVALID_DATA", "$.data[0].Papers[0].File_Id__s"),
                (["Papers": [["File_Id__s": 5]]], "INVALID_DATA", "$.data[0].Papers[0].File_Id__s"),
                (["Papers": [[:]]], "MANDATORY_NOT_FOUND", "$.data[0].Papers[0].File_Id__s"),
                (["Papers": [["id": foreign, "_delete": .null]]], "INVALID_DATA", "$.data[0].Papers[0].id"),
                (["Papers": [["id": "x", "_delete": .null]]], "INVALID_DATA", "$.data[0].Papers[0].id"),
                (["Papers": "x"], "INVALID_DATA", "$.data[0].Papers"), (["Papers": ["x"]], "INVALID_DATA", "$.data[0].Papers[0]"),
                (["Pictures": [["File_Id__s": text]]], "INVALID_DATA", "$.data[0].Pictures[0].File_Id__s"),
            ]
            for (values, code, path) in cases {
                let answer = await leads.update(id, values)
                #expect(answer.status == 400)
                let item = answer.json?["data"]?.array?.first
                #expect(item?["code"] == .string(code), "\(values.text) \(answer.text)")
                #expect(item?["details"]?["json_path"] == .string(path), "\(values.text) \(answer.text)")
            }
            #expect(await leads.names(id, "Papers") == ["1", "2", "3", "4"])
            // One bad record of a batch leaves the others alone.
            let batch = await leads.server.send(
                "POST", "/crm/v7/Leads",
                [
                    "data": [
                        ["Last_Name": "Good", "Company": "A", "Paper": [["File_Id__s": text]]],
                        ["Last_Name": "Bad", "Company": "A", "Paper": [["File_Id__s": "no"]]],
                    ]
                ], token: leads.token)
            #expect(batch.status == 207)
            let good = try #require(batch.json?["data"]?.array?.first?["details"]?["id"]?.string)
            #expect(await leads.names(good, "Paper") == ["t.txt"])
        }
    }
}
