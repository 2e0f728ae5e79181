import CRMCore
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// The file system of uploads. Contract: files, 209 and 210; common, §9.
@Suite struct FilesTests {
    private static let scopes = "ZohoCRM.files.CREATE,ZohoCRM.files.READ"

    @Test(arguments: TestServer.engines) func anUploadedFileComesBackUnderItsName(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let content = (0...255).map { UInt8($0) } + Array("\r\n--0f1e2d3c4b5".utf8)
            let cases: [(sent: String, name: String, type: String)] = [
                ("plan.pdf", "plan.pdf", "application/pdf"), ("naïve 日本 🙂.txt", "naïve 日本 🙂.txt", "application/octet-stream"),
                ("a%22b.csv", "a\"b.csv", "text/csv"), ("../../etc/passwd", "passwd", "application/octet-stream"), ("", "file", "application/octet-stream"),
                ("x.html", "x.html", "application/octet-stream"),
            ]
            for one in cases {
                let answer = await server.upload("/crm/v7/files?type=inline", .file(one.sent, content), token: token)
                #expect(answer.status == 200)
                let item = answer.json?["data"]?.array?.first
                let id = try #require(item?["details"]?["id"]?.string)
                #expect(item == ["code": "SUCCESS", "details": ["name": .string(one.name), "id": .string(id)], "message": .string("\(one.name) uploaded Succeessfully"), "status": "success"])
                #expect(id.count >= 32 && id.allSatisfy(\.isHexDigit))
                let file = await server.send("GET", "/crm/v7/files?id=\(id)", token: token)
                #expect(file.status == 200)
                #expect(file.body == content)
                #expect(file.header("Content-Type") == one.type)
                #expect(file.header("Content-Disposition")?.hasPrefix("attachment; filename=\"") == true)
                #expect(file.header("Content-Disposition")?.hasSuffix("filename*=UTF-8''\(encoded(one.name))") == true)
                #expect(file.header("X-Content-Type-Options") == "nosniff")
            }
        }
    }

    private func encoded(_ name: String) -> String { name.addingPercentEncoding() }

    @Test(arguments: TestServer.engines) func severalFilesAndEmptyOnes(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            var form = FormBody()
            form.add("note", file: "note", Array("not a file".utf8))
            for index in 0..<10 { form.add("file", file: "\(index).txt", Array(repeating: UInt8(index), count: index * 1000)) }
            let answer = await server.upload("/crm/v7/files", form, token: token)
            let ids = (answer.json?["data"]?.array ?? []).compactMap { $0["details"]?["id"]?.string }
            #expect(ids.count == 10)
            for (index, id) in ids.enumerated() {
                let file = await server.send("GET", "/crm/v7/files?id=\(id)", token: token)
                #expect(file.status == 200)
                #expect(file.body == Array(repeating: UInt8(index), count: index * 1000))
            }
            form.add("file", file: "eleven", [1])
            let refused = await server.upload("/crm/v7/files", form, token: token)
            #expect(refused.json?["code"] == "LIMIT_EXCEEDED")
            let rows = try await server.services.database.run(.read) { tx in try tx.first("SELECT count(*) FROM sys_file") { $0.integer(0) ?? 0 } }
            #expect(rows == 10, "a refused upload leaves no file")
        }
    }

    @Test func whatIsNoUploadIsRefused() async throws {
        try await TestServer.with(.sqlite) { server in
            let token = try await server.token(Self.scopes)
            func refusal(_ body: [UInt8], _ type: String, _ path: String = "/crm/v7/files") async -> TestServer.Answer {
                await server.send("POST", path, body: body, token: token, headers: [("Content-Type", type)])
            }
            let form = FormBody.file("a", [1, 2, 3])
            var other = FormBody()
            other.add("picture", file: "a", [1])
            for (body, type) in [
                (Array("{}".utf8), "application/json"), ([], form.header.1), (form.bytes, form.header.1), (other.closed, other.header.1), (form.closed, "multipart/form-data"),
            ] {
                let answer = await refusal(body, type)
                #expect(answer.status == 400)
                #expect(answer.json?["code"] == "failure_in_attachment_handling", "\(answer.text)")
            }
            let inline = await server.upload("/crm/v7/files?type=outline", form, token: token)
            #expect(inline.json?["code"] == "INVALID_DATA")
            #expect(await server.upload("/crm/v7/files", form, token: try await server.token("ZohoCRM.files.READ")).json?["code"] == "OAUTH_SCOPE_MISMATCH")
            #expect(await server.send("GET", "/crm/v7/files?id=x", token: try await server.token("ZohoCRM.files.CREATE")).json?["code"] == "OAUTH_SCOPE_MISMATCH")
            #expect(await server.send("POST", "/crm/v7/files", body: form.closed, headers: [form.header]).status == 401)
            #expect(await server.send("GET", "/crm/v7/files?id=unknown", token: token).status == 204)
            #expect(await server.send("GET", "/crm/v7/files?id=..%2F..%2Fetc%2Fpasswd%00", token: token).status == 204)
            let missing = await server.send("GET", "/crm/v7/files", token: token)
            #expect(missing.status == 400)
            #expect(missing.json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(missing.json?["details"]?["param"] == "id")
        }
    }
}

extension String {
    fileprivate func addingPercentEncoding() -> String {
        utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            let plain = byte < 128 && (character.isLetter || character.isNumber || "-._~".contains(character))
            return plain ? String(character) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
