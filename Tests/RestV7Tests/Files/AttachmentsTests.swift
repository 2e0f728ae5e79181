import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Attachments of records. Contract: photos-and-attachments, 194 to 197; merge, §6.
@Suite struct AttachmentsTests {
    private static let fields = "File_Name,Size,Parent_Id,Created_By,$file_id,$se_module,$type,$link_url,$editable"

    private func lead(_ server: TestServer, _ token: String, _ name: String = "Kim") async throws -> String {
        let answer = await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": .string(name), "Company": "Acme"]]], token: token)
        return try #require(answer.json?["data"]?.array?.first?["details"]?["id"]?.string)
    }

    private func attach(_ server: TestServer, _ token: String, _ path: String, _ name: String = "plan.pdf", _ content: [UInt8] = [1, 2, 3])
        async throws -> String
    {
        let answer = await server.upload("/crm/v7/\(path)/Attachments", .file(name, content), token: token)
        #expect(answer.status == 200, "\(answer.text)")
        return try #require(answer.json?["data"]?.array?.first?["details"]?["id"]?.string)
    }

    private func list(_ server: TestServer, _ token: String, _ path: String) async -> [JSONValue] {
        await server.send("GET", "/crm/v7/\(path)/Attachments?fields=\(Self.fields)", token: token).json?["data"]?.array ?? []
    }

    /// notes, section notes: `$attachments`, null where there are none.
    @Test(arguments: TestServer.engines) func aNoteNamesItsFiles(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.modules.ALL,ZohoCRM.files.READ")
            let lead = try await lead(server, token)
            let body: JSONValue = ["data": [["Note_Content": "a"], ["Note_Content": "b"]]]
            let added = await server.send("POST", "/crm/v7/Leads/\(lead)/Notes", body, token: token)
            let ids = added.json?["data"]?.array?.compactMap { $0["details"]?["id"]?.string } ?? []
            try #require(ids.count == 2, "\(added.text)")
            let first = try await attach(server, token, "Notes/\(ids[0])", "ä.pdf")
            let second = try await attach(server, token, "Notes/\(ids[0])", "b.pdf", [1])
            let expected: JSONValue = [
                ["id": .string(first), "File_Name": "ä.pdf", "Size": "3"], ["id": .string(second), "File_Name": "b.pdf", "Size": "1"],
            ]
            for path in ["Notes?fields=Note_Content,$attachments", "Leads/\(lead)/Notes?fields=Note_Content,$attachments"] {
                let rows = await server.send("GET", "/crm/v7/\(path)", token: token).json?["data"]?.array ?? []
                let shown = rows.map { ($0["id"]?.string ?? "", $0["$attachments"]) }
                #expect(shown.first { $0.0 == ids[0] }?.1 == expected && shown.first { $0.0 == ids[1] }?.1 == .null, "\(rows)")
            }
            let single = await server.send("GET", "/crm/v7/Notes/\(ids[0])", token: token).json?["data"]?.array?.first
            #expect(single?["$attachments"] == expected)
        }
    }

    @Test(arguments: TestServer.engines) func aFileIsAttachedListedReadAndRemoved(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.modules.ALL,ZohoCRM.files.READ")
            let lead = try await lead(server, token)
            let path = "Leads/\(lead)"
            #expect(await server.send("GET", "/crm/v7/\(path)/Attachments?fields=File_Name", token: token).status == 204)
            let long = String(repeating: "n", count: 200) + ".pdf"
            let answer = await server.upload("/crm/v7/\(path)/Attachments", .file(long, [9, 8, 7, 6]), token: token)
            let result = answer.json?["data"]?.array?.first
            #expect(answer.status == 200)
            #expect(result?["code"] == "SUCCESS")
            #expect(result?["message"] == "attachment uploaded successfully")
            #expect(
                result?["details"]?.members?.map(\.name).sorted() == ["Created_By", "Created_Time", "Modified_By", "Modified_Time", "id"])
            let first = try #require(result?["details"]?["id"]?.string)
            let second = try await attach(server, token, path, "b.txt")
            let rows = await list(server, token, path)
            #expect(rows.map { $0["id"] } == [.string(second), .string(first)], "newest first")
            let row = try #require(rows.last)
            #expect(row["File_Name"] == .string(long))
            #expect(row["Size"] == "4")
            #expect(row["Parent_Id"]?["id"] == .string(lead))
            #expect(row["Parent_Id"]?["name"] == "Kim")
            #expect(row["$se_module"] == "Leads")
            #expect(row["$link_url"] == .null)
            #expect(row["Owner"] == nil, "only the fields asked for")
            // The file's id serves the file system too.
            let file = try #require(row["$file_id"]?.string)
            #expect(await server.send("GET", "/crm/v7/files?id=\(file)", token: token).body == [9, 8, 7, 6])
            let got = await server.send("GET", "/crm/v7/\(path)/Attachments/\(first)", token: token)
            #expect(got.status == 200)
            #expect(got.body == [9, 8, 7, 6])
            #expect(got.header("Content-Type") == "application/pdf")
            let gone = await server.send("DELETE", "/crm/v7/\(path)/Attachments/\(first)", token: token)
            #expect(
                gone.json == [
                    "data": [["code": "SUCCESS", "details": ["id": .string(first)], "message": "record deleted", "status": "success"]]
                ])
            #expect(await server.send("GET", "/crm/v7/\(path)/Attachments/\(first)", token: token).status == 204)
            #expect(await list(server, token, path).count == 1)
            let again = await server.send("DELETE", "/crm/v7/\(path)/Attachments/\(first)", token: token)
            #expect(again.status == 400)
            #expect(again.json?["data"]?.array?.first?["code"] == "INVALID_DATA")
            // The collection form, with one that is there and one that is not.
            let mixed = await server.send("DELETE", "/crm/v7/\(path)/Attachments?ids=\(second),\(first)", token: token)
            #expect(mixed.status == 207)
            #expect(await list(server, token, path).isEmpty)
            // A day later the bytes are gone too.
            let kinds = try await server.services.database.run(.read) { tx in
                try tx.rows("SELECT kind FROM sys_change WHERE record_id = \(RecordID(raw: Int64(lead) ?? 0)) ORDER BY sequence") {
                    $0.text(0) ?? ""
                }
            }
            #expect(kinds == ["added", "attachment_added", "attachment_added", "attachment_deleted", "attachment_deleted"])
        }
    }

    @Test(arguments: TestServer.engines) func linksAreAttachmentsToo(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.modules.ALL")
            let path = "Leads/\(try await lead(server, token))"
            let answer = await server.send(
                "POST", "/crm/v7/\(path)/Attachments?attachmentUrl=https%3A%2F%2Fa.test%2Fx%3Fy&title=The%20plan", token: token)
            #expect(answer.status == 200, "\(answer.text)")
            let row = try #require(await list(server, token, path).first)
            #expect(row["File_Name"] == "The plan")
            #expect(row["$link_url"] == "https://a.test/x?y")
            #expect(row["$file_id"] == .null)
            #expect(row["Size"] == .null)
            #expect(row["$type"] == "Link URL")
            #expect(await server.send("GET", "/crm/v7/\(path)/Attachments/\(row["id"]?.string ?? "")", token: token).status == 204)
            for bad in ["javascript%3Aalert(1)", "https%3A%2F%2F", "file%3A%2F%2F%2Fetc%2Fpasswd", "https%3A%2F%2Fa%0Ab"] {
                let refused = await server.send("POST", "/crm/v7/\(path)/Attachments?attachmentUrl=\(bad)", token: token)
                #expect(refused.status == 400)
                #expect(refused.json?["code"] == "INVALID_DATA", "\(bad)")
            }
            #expect(await list(server, token, path).count == 1)
        }
    }

    @Test(arguments: TestServer.engines) func whatIsWrongChangesNothing(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.modules.ALL")
            let one = try await lead(server, token)
            let other = try await lead(server, token, "Lee")
            let id = try await attach(server, token, "Leads/\(one)")
            let form = FormBody.file("x", [1])
            for path in ["Users/1", "Nowhere/1", "Attachments/1", "Contact_Roles/1"] {
                #expect(await server.upload("/crm/v7/\(path)/Attachments", form, token: token).json?["code"] == "INVALID_MODULE", "\(path)")
            }
            for record in ["1", "abc", "99999999999999999999"] {
                for answer in [
                    await server.upload("/crm/v7/Leads/\(record)/Attachments", form, token: token),
                    await server.send("GET", "/crm/v7/Leads/\(record)/Attachments?fields=id", token: token),
                    await server.send("GET", "/crm/v7/Leads/\(record)/Attachments/\(id)", token: token),
                    await server.send("DELETE", "/crm/v7/Leads/\(record)/Attachments/\(id)", token: token),
                ] {
                    #expect(answer.status == 400)
                    #expect(answer.json?["code"] == "INVALID_DATA")
                    #expect(answer.json?["details"]?["resource_path_index"] == 1)
                }
            }
            // An attachment is reached through its own record only.
            #expect(await server.send("GET", "/crm/v7/Leads/\(other)/Attachments/\(id)", token: token).status == 204)
            #expect(await server.send("DELETE", "/crm/v7/Leads/\(other)/Attachments/\(id)", token: token).status == 400)
            #expect(await server.send("GET", "/crm/v7/Leads/\(one)/Attachments/nonsense", token: token).status == 204)
            let unnamed = await server.send("GET", "/crm/v7/Leads/\(one)/Attachments", token: token)
            #expect(unnamed.json?["code"] == "REQUIRED_PARAM_MISSING")
            var two = FormBody.file("a", [1])
            two.add("file", file: "b", [2])
            for bad in [two, FormBody.file("a", [1], field: "photo"), FormBody()] {
                let answer = await server.upload("/crm/v7/Leads/\(one)/Attachments", bad, token: token)
                #expect(answer.status == 400)
                #expect(answer.json?["code"] == "INVALID_DATA")
            }
            #expect(await list(server, token, "Leads/\(one)").count == 1)
            let cases: [(String, String, String)] = [
                ("POST", "ZohoCRM.modules.leads.ALL", ""), ("GET", "ZohoCRM.modules.attachments.ALL", "?fields=id"),
                ("GET", "ZohoCRM.modules.leads.READ", "/\(id)"),
                ("DELETE", "ZohoCRM.modules.leads.ALL,ZohoCRM.modules.attachments.READ", "/\(id)"),
            ]
            for (method, scopes, rest) in cases {
                let answer = await server.upload(
                    "/crm/v7/Leads/\(one)/Attachments\(rest)", form, token: try await server.token(scopes), method: method)
                #expect(answer.json?["code"] == "OAUTH_SCOPE_MISMATCH", "\(method) with \(scopes)")
            }
            let enough = try await server.token("ZohoCRM.modules.leads.READ,ZohoCRM.modules.attachments.READ")
            #expect(await server.send("GET", "/crm/v7/Leads/\(one)/Attachments/\(id)", token: enough).status == 200)
        }
    }

    /// They go to the recycle bin with their record, and over to the master with a merge.
    @Test(arguments: TestServer.engines) func attachmentsFollowTheirRecord(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.modules.ALL")
            let master = try await lead(server, token)
            let child = try await lead(server, token, "Kimm")
            let mine = try await attach(server, token, "Leads/\(master)", "same.txt", [1])
            let moved = try await attach(server, token, "Leads/\(child)", "same.txt", [2])
            let merged = await server.send(
                "POST", "/crm/v7/Leads/\(master)/actions/merge", ["merge": [["data": [["id": .string(child)]]]]], token: token)
            #expect(merged.status == 201)
            #expect(Set(await list(server, token, "Leads/\(master)").map { $0["id"]?.string }) == [mine, moved])
            #expect(await server.send("GET", "/crm/v7/Leads/\(master)/Attachments/\(moved)", token: token).body == [2])
            await server.send("DELETE", "/crm/v7/Leads/\(master)", token: token)
            #expect(await server.send("GET", "/crm/v7/Leads/\(master)/Attachments/\(moved)", token: token).status == 400)
            try await FileSweep(server.services).sweep()
            let held = try await server.services.database.run(.read) { tx in
                try tx.first("SELECT count(*) FROM sys_file WHERE expires_at IS NULL") { $0.integer(0) ?? 0 }
            }
            #expect(held == 2, "what lies in the recycle bin keeps its files")
        }
    }

    /// Restored with their record; let go of when it is deleted for good.
    @Test(arguments: TestServer.engines) func theRecycleBinKeepsFiles(_ engine: Database.Engine) async throws {
        try await FileFields.with(engine) { leads in
            let server = leads.server
            let token = try await server.token("ZohoCRM.modules.ALL,ZohoCRM.settings.ALL")
            let id = try await leads.create(["Papers": try await leads.files("a")])
            let attachment = try await attach(server, token, "Leads/\(id)")
            await server.upload("/crm/v7/Leads/\(id)/photo", .file("me.png", TinyImage.png()), token: token)
            func waiting() async throws -> Int64? {
                try await server.services.database.run(.read) { tx in
                    try tx.first("SELECT count(*) FROM sys_file WHERE expires_at IS NOT NULL") { $0.integer(0) ?? 0 }
                }
            }
            await server.send("DELETE", "/crm/v7/Leads/\(id)", token: token)
            #expect(try await waiting() == 0)
            try await server.services.write(server.services.catalog.current(), .system("test"), .api) { scope in
                _ = try RecycleBin.restore([RecordID(raw: Int64(id) ?? 0)], scope)
            }
            #expect(await server.send("GET", "/crm/v7/Leads/\(id)/Attachments/\(attachment)", token: token).body == [1, 2, 3])
            #expect(await server.send("GET", "/crm/v7/Leads/\(id)/photo", token: token).body == TinyImage.png())
            #expect(await leads.names(id, "Papers") == ["a"])
            await server.send("DELETE", "/crm/v7/Leads/\(id)", token: token)
            try await server.services.write(server.services.catalog.current(), .system("test"), .api) { scope in
                _ = try RecycleBin.erase([RecordID(raw: Int64(id) ?? 0)], scope)
            }
            #expect(try await waiting() == 3)
        }
    }

    @Test(arguments: TestServer.engines) func otherRecordsCarryAttachmentsToo(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.modules.ALL")
            let lead = try await lead(server, token)
            let note = await server.send("POST", "/crm/v7/Leads/\(lead)/Notes", ["data": [["Note_Content": "x"]]], token: token)
            let noteID = try #require(note.json?["data"]?.array?.first?["details"]?["id"]?.string)
            let product = await server.send("POST", "/crm/v7/Products", ["data": [["Product_Name": "P"]]], token: token)
            let productID = try #require(product.json?["data"]?.array?.first?["details"]?["id"]?.string)
            for path in ["Notes/\(noteID)", "Products/\(productID)"] {
                let id = try await attach(server, token, path)
                #expect(await server.send("GET", "/crm/v7/\(path)/Attachments/\(id)", token: token).body == [1, 2, 3])
            }
        }
    }
}
