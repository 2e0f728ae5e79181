import CRMCore
import HTTPShell
import Metadata
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
                ("a%22b.csv", "a\"b.csv", "text/csv"), ("../../etc/passwd", "passwd", "application/octet-stream"),
                ("", "file", "application/octet-stream"),
                ("x.html", "x.html", "application/octet-stream"),
            ]
            for one in cases {
                let answer = await server.upload("/crm/v7/files?type=inline", .file(one.sent, content), token: token)
                #expect(answer.status == 200)
                let item = answer.json?["data"]?.array?.first
                let id = try #require(item?["details"]?["id"]?.string)
                #expect(
                    item == [
                        "code": "SUCCESS", "details": ["name": .string(one.name), "id": .string(id)],
                        "message": .string("\(one.name) uploaded Succeessfully"), "status": "success",
                    ])
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
            let rows = try await server.services.database.run(.read) { tx in
                try tx.first("SELECT count(*) FROM sys_file") { $0.integer(0) ?? 0 }
            }
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
                (Array("{}".utf8), "application/json"), ([], form.header.1), (form.bytes, form.header.1), (other.closed, other.header.1),
                (form.closed, "multipart/form-data"),
            ] {
                let answer = await refusal(body, type)
                #expect(answer.status == 400)
                #expect(answer.json?["code"] == "failure_in_attachment_handling", "\(answer.text)")
            }
            let inline = await server.upload("/crm/v7/files?type=outline", form, token: token)
            #expect(inline.json?["code"] == "INVALID_DATA")
            #expect(
                await server.upload("/crm/v7/files", form, token: try await server.token("ZohoCRM.files.READ")).json?["code"]
                    == "OAUTH_SCOPE_MISMATCH")
            #expect(
                await server.send("GET", "/crm/v7/files?id=x", token: try await server.token("ZohoCRM.files.CREATE")).json?["code"]
                    == "OAUTH_SCOPE_MISMATCH")
            #expect(await server.send("POST", "/crm/v7/files", body: form.closed, headers: [form.header]).status == 401)
            #expect(await server.send("GET", "/crm/v7/files?id=unknown", token: token).status == 204)
            #expect(await server.send("GET", "/crm/v7/files?id=..%2F..%2Fetc%2Fpasswd", token: token).status == 204)
            #expect(await server.send("GET", "/crm/v7/files?id=passwd%00", token: token).json?["code"] == "INVALID_DATA")
            let missing = await server.send("GET", "/crm/v7/files", token: token)
            #expect(missing.status == 400)
            #expect(missing.json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(missing.json?["details"]?["param"] == "id")
        }
    }
}

/// Uploads that are not in memory, as the server gets them.
@Suite struct StreamedUploadTests {
    /// Makes its pieces when asked, and runs something before the last one.
    private struct Pieces: AsyncSequence, Sendable {
        let count: Int
        let piece: @Sendable (Int) -> [UInt8]
        var beforeLast: @Sendable () async throws -> Void = {}

        struct Iterator: AsyncIteratorProtocol {
            let pieces: Pieces
            var next = 0
            mutating func next() async throws -> [UInt8]? {
                guard next < pieces.count else { return nil }
                if next == pieces.count - 1 { try await pieces.beforeLast() }
                next += 1
                return pieces.piece(next - 1)
            }
        }
        func makeAsyncIterator() -> Iterator { Iterator(pieces: self) }
    }

    private func send(_ server: TestServer, _ path: String, _ pieces: Pieces, _ token: String) async -> Reply {
        let type = FormBody().header.1
        let headers = [("authorization", "Zoho-oauthtoken \(token)"), ("content-type", type)]
        return await server.shell.answer(
            IncomingRequest(method: "POST", target: path, headers: headers, body: .upload(Upload(ByteStream(pieces), contentType: type))))
    }

    /// A request that is planned again takes its file in once.
    @Test(arguments: TestServer.engines) func settingsMayChangeDuringAnUpload(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.modules.ALL")
            let made = await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "Kim", "Company": "A"]]], token: token)
            let lead = try #require(made.json?["data"]?.array?.first?["details"]?["id"]?.string)
            let form = FormBody.file("x.txt", Array("content".utf8)).closed
            let services = server.services
            let pieces = Pieces(count: form.count, piece: { [form[$0]] }, beforeLast: { try await services.changeMetadata { _ in } })
            let reply = await send(server, "/crm/v7/Leads/\(lead)/Attachments", pieces, token)
            #expect(reply.status == 200, "\(String(decoding: reply.body, as: UTF8.self))")
            let rows =
                await server.send("GET", "/crm/v7/Leads/\(lead)/Attachments?fields=File_Name", token: token).json?["data"]?.array ?? []
            #expect(rows.map { $0["File_Name"] } == ["x.txt"])
            let id = rows.first?["id"]?.string ?? ""
            #expect(await server.send("GET", "/crm/v7/Leads/\(lead)/Attachments/\(id)", token: token).text == "content")
        }
    }

    @Test func aFileOverTheLimitIsRefusedOnItsWay() async throws {
        try await TestServer.with(.sqlite) { server in
            let token = try await server.token("ZohoCRM.files.CREATE")
            let head = FormBody.file("x", []).closed.prefix { $0 != 13 }
            let start = Array(head) + Array("\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n".utf8)
            let block = [UInt8](repeating: 7, count: 1 << 20)
            let pieces = Pieces(count: 1000, piece: { $0 == 0 ? start : block }, beforeLast: { Issue.record("the whole body was read") })
            let reply = await send(server, "/crm/v7/files", pieces, token)
            #expect(reply.status == 413)
            #expect((try? JSONValue.parse(reply.body))?["code"] == "FILE_TOO_LARGE")
            let rows = try await server.services.database.run(.read) { tx in
                try tx.first("SELECT (SELECT count(*) FROM sys_blob) + (SELECT count(*) FROM sys_file)") { $0.integer(0) ?? 0 }
            }
            #expect(rows == 0)
        }
    }

    /// common, §6: 403 when the profile lacks the right.
    @Test func attachingNeedsTheRightToAttach() async throws {
        try await TestServer.with(.sqlite) { server in
            let token = try await server.token("ZohoCRM.modules.ALL")
            let profile = server.administrator.profile
            let made = await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "Kim", "Company": "A"]]], token: token)
            let path = "/crm/v7/Leads/\(made.json?["data"]?.array?.first?["details"]?["id"]?.string ?? "")/Attachments"
            try await server.services.changeMetadata { scope in
                guard var body = scope.catalog.documents(.profile).first(where: { $0.id == profile })?.body else { return }
                body["permissions"] = .array((body["permissions"]?.array ?? []).filter { $0 != "Crm_Implied_Create_Attachments" })
                try scope.replace(profile, body: body)
            }
            let refused = await server.upload(path, .file("a", [1]), token: token)
            #expect(refused.status == 403)
            #expect(refused.json?["code"] == "NO_PERMISSION")
            #expect(refused.json?["details"] == ["permissions": ["Crm_Implied_Create_Attachments"]])
            #expect(await server.send("GET", path + "?fields=id", token: token).status == 204)
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
