import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Records shared with others, and what a merge makes of it. Contract: `endpoints/share.md`, 211 to 214; `merge.md` §6.
@Suite struct ShareTests {
    private static let scopes = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.share.ALL"

    private func share(_ user: User, _ permission: String) -> JSONValue {
        ["shared_with": ["id": .string(String(user.id.raw)), "type": "users"], "permission": .string(permission), "type": "private"]
    }

    private func shown(_ server: TestServer, _ lead: String, _ token: String) async -> [String] {
        let answer = await server.send("GET", "/crm/v7/Leads/\(lead)/actions/share", token: token)
        return (answer.json?["share"]?.array ?? []).map {
            "\($0["shared_with"]?["name"]?.string ?? "all") \($0["permission"]?.string ?? "")"
        }
    }

    @Test(arguments: TestServer.engines) func recordsAreSharedAndTakenBack(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let ana = try await server.addUser("Ana")
            let bo = try await server.addUser("Bo")
            let gone = try await server.addUser("Gone", active: false)
            let lead = try await server.add("Leads", ["Last_Name": "Kim"], token: token)
            let path = "/crm/v7/Leads/\(lead)/actions/share"
            #expect(await server.send("GET", path, token: token).status == 204)
            let made = await server.send("POST", path, ["share": [share(ana, "read_only")], "notify_shared_members": false], token: token)
            #expect(
                made.json == [
                    "share": [["code": "SUCCESS", "details": [:], "message": "record will be shared successfully", "status": "success"]]
                ])
            let again = await server.send("POST", path, ["share": [share(ana, "full_access"), share(bo, "read_write")]], token: token)
            #expect(again.status == 207 && again.json?.codes("share") == ["INVALID_DATA", "SUCCESS"])
            #expect(await shown(server, lead, token) == ["Ana read_only", "Bo read_write"])
            let one = await server.send("GET", path + "?view=summary&sharedTo=\(bo.id.raw)", token: token).json?["share"]?.array
            #expect(one?.count == 1 && one?.first?["shared_through"]?["name"] == "Kim" && one?.first?["share_related_records"] == false)
            #expect(one?.first?["shared_by"]?["name"] == .string(server.administrator.fullName) && one?.first?["type"] == "private")

            let put = await server.send("PUT", path, ["share": [share(bo, "full_access")]], token: token)
            #expect(put.status == 200 && put.json?.codes("share") == ["SUCCESS"])
            #expect(await shown(server, lead, token) == ["Bo full_access"])

            let everyone: JSONValue = ["type": "public", "permission": "read_only"]
            let bad: [(JSONValue, String, Int)] = [
                (["share": []], "INVALID_DATA", 400), ([:], "MANDATORY_NOT_FOUND", 400),
                (["share": [["permission": "read_only"]]], "MANDATORY_NOT_FOUND", 400),
                (["share": [["type": "private"]]], "MANDATORY_NOT_FOUND", 400), (["share": [share(ana, "all")]], "INVALID_DATA", 400),
                (["share": [share(gone, "read_only")]], "INVALID_DATA", 400),
                (["share": [share(server.administrator, "read_only")]], "INVALID_DATA", 400),
                (["share": [everyone, share(ana, "read_only")]], "AMBIGUITY_DURING_PROCESSING", 400),
            ]
            for (body, code, status) in bad {
                for method in ["POST", "PUT"] {
                    let answer = await server.send(method, path, body, token: token)
                    #expect(
                        answer.status == status && (answer.json?["code"] ?? answer.json?.first("share")?["code"])?.string == code,
                        "\(method) \(body.text)")
                }
            }
            #expect(await shown(server, lead, token) == ["Bo full_access"])
            var many: [JSONValue] = []
            for number in 0..<10 { many.append(share(try await server.addUser("U\(number)"), "read_only")) }
            let over = await server.send("POST", path, ["share": .array(many)], token: token)
            #expect(over.status == 207 && over.json?.codes("share").last == "LIMIT_EXCEEDED")
            let overPut = await server.send("PUT", path, ["share": .array(many + [share(bo, "read_only")])], token: token)
            #expect(overPut.status == 403 && overPut.json?.first("share")?["code"] == "SHARE_LIMIT_EXCEEDED")
            await server.send("POST", path, ["share": [everyone]], token: token)
            #expect(await shown(server, lead, token) == ["all read_only"])

            let revoked = await server.send("DELETE", path, token: token)
            #expect(
                revoked.json == [
                    "share": ["code": "SUCCESS", "details": ["id": .string(lead)], "message": "Sharing Revoked", "status": "success"]
                ])
            let twice = await server.send("DELETE", path, token: token)
            #expect(twice.status == 400 && twice.json?["code"] == "BAD_REQUEST")
            for method in ["GET", "DELETE"] {
                #expect(await server.send(method, "/crm/v7/Leads/12/actions/share", token: token).json?["message"] == "ENTITY_ID_INVALID")
                #expect(await server.send(method, "/crm/v7/Tasks/12/actions/share", token: token).json?["code"] == "INVALID_MODULE")
                #expect(await server.send(method, path, token: try await server.token()).status == 401)
                #expect(await server.send(method, path, token: try await server.token("ZohoCRM.share.contacts.ALL")).status == 401)
            }
            #expect(await server.send("GET", path + "?view=odd", token: token).json?["code"] == "PATTERN_NOT_MATCHED")
            #expect(await server.send("GET", path, token: try await server.token("ZohoCRM.share.leads.READ")).status == 204)
        }
    }

    @Test(arguments: TestServer.engines) func aMergeUnitesSharesAndUndoPartsThem(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let ana = try await server.addUser("Ana")
            let bo = try await server.addUser("Bo")
            let master = try await server.add("Leads", ["Last_Name": "M"], token: token)
            let child = try await server.add("Leads", ["Last_Name": "C"], token: token)
            await server.send("POST", "/crm/v7/Leads/\(master)/actions/share", ["share": [share(ana, "read_only")]], token: token)
            await server.send(
                "POST", "/crm/v7/Leads/\(child)/actions/share", ["share": [share(ana, "read_write"), share(bo, "read_only")]], token: token)
            let merged = await server.send(
                "POST", "/crm/v7/Leads/\(master)/actions/merge?verbose=true", ["merge": [["data": [["id": .string(child)]]]]], token: token)
            #expect(merged.status == 201)
            #expect(await shown(server, master, token).sorted() == ["Ana read_write", "Bo read_only"])
            let journal = merged.json?.first("merge")?["details"]?["journal_id"] ?? .null
            let undone = await server.send("POST", "/crm/v7/Leads/\(master)/actions/unmerge", ["journal_id": journal], token: token)
            #expect(undone.status == 200, "\(undone.text)")
            #expect(await shown(server, master, token) == ["Ana read_only"])
            #expect(await shown(server, child, token).sorted() == ["Ana read_write", "Bo read_only"])
        }
    }
}
