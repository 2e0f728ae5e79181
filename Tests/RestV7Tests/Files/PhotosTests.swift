import CRMCore
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Photos of records and of the organisation. Contract: photos-and-attachments, 198 to 200; organization, 111 to 113.
@Suite struct PhotosTests {
    private func record(_ server: TestServer, _ token: String, _ module: String, _ body: JSONValue) async throws -> String {
        let answer = await server.send("POST", "/crm/v7/\(module)", ["data": [body]], token: token)
        return try #require(answer.json?["data"]?.array?.first?["details"]?["id"]?.string)
    }

    @Test(arguments: TestServer.engines) func aPhotoIsSetReplacedAndRemoved(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let id = try await record(server, token, "Leads", ["Last_Name": "Kim", "Company": "A"])
            let path = "/crm/v7/Leads/\(id)/photo"
            #expect(await server.send("GET", path, token: token).status == 204)
            let answer = await server.upload(path + "?restrict_triggers=workflow", .file("me.png", TinyImage.png(7, 9)), token: token)
            #expect(answer.status == 200)
            #expect(answer.json == ["code": "SUCCESS", "details": [:], "message": "photo uploaded successfully", "status": "success"])
            let photo = await server.send("GET", path, token: token)
            #expect(photo.body == TinyImage.png(7, 9))
            #expect(photo.header("Content-Type") == "image/png")
            #expect(photo.header("Content-Disposition")?.hasSuffix("UTF-8''me.png") == true)
            let shown = await server.send("GET", "/crm/v7/Leads/\(id)?fields=Record_Image", token: token).json?["data"]?.array?.first?[
                "Record_Image"]
            #expect(shown?.string?.isEmpty == false)
            // The bytes say what an image is, not the name.
            #expect(await server.upload(path, .file("me.png", TinyImage.gif), token: token).status == 200)
            #expect(await server.send("GET", path, token: token).header("Content-Type") == "image/gif")
            // A photo has calls of its own: a write of the record leaves it alone.
            await server.send("PUT", "/crm/v7/Leads/\(id)", ["data": [["Record_Image": "x", "Company": "B"]]], token: token)
            #expect(await server.send("GET", path, token: token).body == TinyImage.gif)
            let gone = await server.send("DELETE", path, token: token)
            #expect(gone.json == ["code": "SUCCESS", "details": [:], "message": "Photo deleted", "status": "success"])
            #expect(await server.send("GET", path, token: token).status == 204)
            #expect(
                await server.send("GET", "/crm/v7/Leads/\(id)?fields=Record_Image", token: token).json?["data"]?.array?.first?[
                    "Record_Image"] == .null)
            #expect(await server.send("DELETE", path, token: token).status == 200)
        }
    }

    @Test(arguments: TestServer.engines) func whatIsNoPhotoIsRefused(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let id = try await record(server, token, "Contacts", ["Last_Name": "Kim"])
            let path = "/crm/v7/Contacts/\(id)/photo"
            let large = TinyImage.png() + [UInt8](repeating: 0, count: 10 << 20)
            let cases: [([UInt8], Int, String)] = [
                (Array("<svg/>".utf8), 400, "INVALID_DATA"), ([], 400, "INVALID_DATA"),
                (Array(TinyImage.png().prefix(20)), 400, "INVALID_DATA"),
                (TinyImage.png(4000, 2501), 415, "FILE_SIZE_MORE_THAN_ALLOWED_SIZE"), (large, 415, "FILE_SIZE_MORE_THAN_ALLOWED_SIZE"),
            ]
            for (bytes, status, code) in cases {
                let answer = await server.upload(path, .file("a.png", bytes), token: token)
                #expect(answer.status == status)
                #expect(answer.json?["code"] == .string(code))
            }
            #expect(
                await server.upload(path, .file("a.png", TinyImage.png(4000, 2500)), token: token).status == 200,
                "ten megapixels are allowed")
            let unknown = await server.upload("/crm/v7/Contacts/1/photo", .file("a.png", TinyImage.png()), token: token)
            #expect(unknown.json?["code"] == "INVALID_DATA")
            #expect(await server.send("DELETE", "/crm/v7/Contacts/1/photo", token: token).json?["code"] == "INVALID_DATA")
            #expect(await server.send("GET", "/crm/v7/Contacts/1/photo", token: token).json?["code"] == "INVALID_DATA")
            for module in ["Tasks", "Quotes", "Nowhere"] {
                #expect(
                    await server.upload("/crm/v7/\(module)/1/photo", .file("a.png", TinyImage.png()), token: token).json?["code"]
                        == "INVALID_MODULE")
            }
            let reader = try await server.token("ZohoCRM.modules.contacts.READ")
            #expect(await server.send("GET", path, token: reader).status == 200)
            #expect(await server.send("DELETE", path, token: reader).json?["code"] == "OAUTH_SCOPE_MISMATCH")
            #expect(await server.upload(path, .file("a.png", TinyImage.png()), token: reader).json?["code"] == "OAUTH_SCOPE_MISMATCH")
        }
    }

    /// A record in a merge, or locked, keeps its photo to itself (merge, §8).
    @Test(arguments: TestServer.engines) func aHeldRecordRefuses(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let id = try await record(server, token, "Leads", ["Last_Name": "Kim", "Company": "A"])
            let path = "/crm/v7/Leads/\(id)"
            await server.upload(path + "/photo", .file("me.png", TinyImage.png()), token: token)
            try await server.services.database.run(.write) { tx in try tx.execute("UPDATE m_leads SET in_merge = 5") }
            for answer in [
                await server.send("GET", path + "/photo", token: token), await server.send("DELETE", path + "/photo", token: token),
                await server.upload(path + "/photo", .file("a.png", TinyImage.png()), token: token),
                await server.upload(path + "/Attachments", .file("a.txt", [1]), token: token),
            ] {
                #expect(answer.status == 400)
                #expect(
                    answer.json == [
                        "code": "RECORD_LOCKED", "details": ["resource_path_index": 1], "message": "record under merge is locked",
                        "status": "error",
                    ])
            }
            try await server.services.database.run(.write) { tx in try tx.execute("UPDATE m_leads SET in_merge = NULL") }
            #expect(await server.send("GET", path + "/photo", token: token).body == TinyImage.png())
            #expect(await server.send("GET", path + "/Attachments?fields=id", token: token).status == 204)
        }
    }

    /// merge, §4: the master's, unless the field is named; an undo gives each its own.
    @Test(arguments: TestServer.engines) func aMergeMovesThePhotoThatIsNamed(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let master = try await record(server, token, "Leads", ["Last_Name": "Kim", "Company": "A"])
            let child = try await record(server, token, "Leads", ["Last_Name": "Kimm", "Company": "A"])
            await server.upload("/crm/v7/Leads/\(master)/photo", .file("m.png", TinyImage.png(1, 1)), token: token)
            await server.upload("/crm/v7/Leads/\(child)/photo", .file("c.png", TinyImage.png(2, 2)), token: token)
            let body: JSONValue = ["merge": [["data": [["id": .string(child), "_fields": [["api_name": "Record_Image"]]]]]]]
            let merged = await server.send("POST", "/crm/v7/Leads/\(master)/actions/merge?verbose=true", body, token: token)
            #expect(merged.status == 201, "\(merged.text)")
            #expect(await server.send("GET", "/crm/v7/Leads/\(master)/photo", token: token).body == TinyImage.png(2, 2))
            let journal = merged.json?["merge"]?.array?.first?["details"]?["journal_id"] ?? .null
            let undone = await server.send("POST", "/crm/v7/Leads/\(master)/actions/unmerge", ["journal_id": journal], token: token)
            #expect(undone.status == 200, "\(undone.text)")
            #expect(await server.send("GET", "/crm/v7/Leads/\(master)/photo", token: token).body == TinyImage.png(1, 1))
            #expect(await server.send("GET", "/crm/v7/Leads/\(child)/photo", token: token).body == TinyImage.png(2, 2))
        }
    }

    @Test(arguments: TestServer.engines) func theOrganisationHasAPhoto(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.org.ALL")
            let path = "/crm/v7/org/photo"
            #expect(await server.send("GET", path, token: token).status == 204)
            let answer = await server.upload(path, .file("logo.png", TinyImage.png()), token: token)
            #expect(answer.json == ["code": "SUCCESS", "details": [:], "message": "photo uploaded successfully", "status": "success"])
            #expect(await server.upload(path, .file("logo.gif", TinyImage.gif), token: token).status == 200)
            #expect(await server.send("GET", path, token: token).body == TinyImage.gif)
            #expect(await server.send("GET", "/crm/v7/org", token: token).json?["org"]?.array?.first?["photo_id"]?.string?.isEmpty == false)
            var two = FormBody.file("a", TinyImage.gif)
            two.add("file", file: "b", TinyImage.gif)
            let large = TinyImage.png() + [UInt8](repeating: 0, count: 1 << 20)
            for (form, status) in [(two, 400), (.file("a", [1, 2, 3]), 400), (FormBody(), 400), (.file("a", large), 415)] {
                #expect(await server.upload(path, form, token: token).status == status)
            }
            #expect(await server.send("GET", path, token: token).body == TinyImage.gif)
            #expect(
                await server.send("DELETE", path, token: try await server.token("ZohoCRM.org.READ")).json?["code"] == "OAUTH_SCOPE_MISMATCH"
            )
            #expect(await server.send("DELETE", path, token: token).json?["code"] == "SUCCESS")
            #expect(await server.send("GET", path, token: token).status == 204)
            #expect(await server.send("GET", "/crm/v7/org", token: token).json?["org"]?.array?.first?["photo_id"] == .null)
        }
    }
}
