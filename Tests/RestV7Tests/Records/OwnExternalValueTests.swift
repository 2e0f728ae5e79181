import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// External fields whose values each user has for himself. Contract: `endpoints/records-using-external-id.md`, section notes and 169
/// to 174; `related-records-using-external-id.md`, 175.
@Suite struct OwnExternalValueTests {
    private static let scopes = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoSearch.securesearch.READ"
    private let contact = [("X-EXTERNAL", "Contacts.My_Key")]

    private func with(_ engine: Database.Engine, _ body: (RowBench, RowBench) async throws -> Void) async throws {
        try await RowBench.with(engine) { bench in
            let answer = await bench.send(
                "POST", "settings/fields?module=Contacts",
                ["fields": [["field_label": "My Key", "data_type": "text", "length": 100, "external": ["type": "user", "show": true]]]])
            #expect(answer.status == 201, "\(answer.text)")
            let ana = try await bench.server.addUser("Ana")
            let set = try #require(ScopeSet(Self.scopes))
            let token = try await bench.server.shell.tokens.issueAccess(clientID: "test", user: ana.id, scopes: set, lifeSeconds: 3600)
            try await body(bench, RowBench(server: bench.server, token: token))
        }
    }

    @Test(arguments: TestServer.engines)
    func nobodySeesTheValuesOfAnother(_ engine: Database.Engine) async throws {
        try await with(engine) { mine, hers in
            let id = try await mine.add("Contacts", ["Last_Name": "Kim", "My_Key": "k-1"])
            #expect(await mine.record("Contacts", id)["My_Key"] == "k-1")
            #expect(await hers.record("Contacts", id)["My_Key"] == .null)
            // The same value names another record for another user.
            let other = try await hers.add("Contacts", ["Last_Name": "Lee", "My_Key": "k-1"])
            #expect(await mine.result(mine.send("GET", "Contacts/k-1", headers: contact))["id"] == .string(id))
            #expect(await hers.result(hers.send("GET", "Contacts/k-1", headers: contact))["id"] == .string(other))
            #expect(await hers.change("Contacts", id, ["My_Key": "k-2"]).status == 200)
            #expect(await mine.record("Contacts", id)["My_Key"] == "k-1")
            #expect(
                await hers.send("GET", "Contacts?fields=My_Key&ids=k-2", headers: contact).json?["data"]?.array?.first?["My_Key"] == "k-2")

            let twice = await hers.send("POST", "Contacts", ["data": [["Last_Name": "Twin", "My_Key": "K-1"]]])
            #expect(
                hers.result(twice)["code"] == "DUPLICATE_DATA" && hers.result(twice)["details"]?["id"] == .string(other), "\(twice.text)")
            let batch = await hers.send(
                "POST", "Contacts", ["data": [["Last_Name": "A", "My_Key": "n"], ["Last_Name": "B", "My_Key": "N"]]])
            #expect(batch.status == 207, "\(batch.text)")

            let found = await mine.send("GET", "Contacts/search?criteria=(My_Key:equals:k-1)&fields=Last_Name,My_Key", headers: contact)
            #expect(found.json?["data"]?.array == [["Last_Name": "Kim", "My_Key": "k-1", "id": .string(id)]], "\(found.text)")
            let upsert = await hers.send("POST", "Contacts/upsert", ["data": [["Last_Name": "Leeds", "My_Key": "k-1"]]])
            #expect(hers.result(upsert)["action"] == "update" && hers.result(upsert)["details"]?["id"] == .string(other), "\(upsert.text)")
            #expect(await mine.record("Contacts", id)["Last_Name"] == "Kim")

            // Freed by clearing, and by a record that goes.
            #expect(await mine.change("Contacts", id, ["My_Key": .null]).status == 200)
            let again = try await mine.add("Contacts", ["Last_Name": "Roy", "My_Key": "k-1"])
            #expect(await mine.send("DELETE", "Contacts/k-1", headers: contact).status == 200)
            let third = try await mine.add("Contacts", ["Last_Name": "Ray", "My_Key": "k-1"])
            #expect(await mine.result(mine.send("GET", "Contacts/k-1", headers: contact))["id"] == .string(third))
            #expect(await mine.send("PUT", "Contacts/\(again)", ["data": [["My_Key": "x"]]]).status == 400, "it is gone")
        }
    }

    /// Rows 170 and 175: in lookups and related lists.
    @Test(arguments: TestServer.engines)
    func lookupsAndListsTakeTheUsersOwnValues(_ engine: Database.Engine) async throws {
        try await with(engine) { mine, hers in
            let id = try await mine.add("Contacts", ["Last_Name": "Kim", "My_Key": "k-1"])
            let body: JSONValue = ["data": [["Subject": "Call", "Who_Id": ["My_Key": "k-1"]]]]
            let header = [("X-EXTERNAL", "Tasks.Who_Id.My_Key")]
            let task = await mine.send("POST", "Tasks", body, headers: header)
            #expect(task.status == 201, "\(task.text)")
            #expect(await hers.result(hers.send("POST", "Tasks", body, headers: header))["code"] == "INVALID_DATA")
            let list = await mine.send("GET", "Contacts/k-1/Tasks?fields=Subject", headers: contact)
            #expect(list.json?["data"]?.array?.count == 1, "\(list.text)")
            #expect(await hers.send("GET", "Contacts/k-1/Tasks?fields=Subject", headers: contact).status == 400)
            let changed = await mine.send("PUT", "Contacts/k-1", ["data": [["Last_Name": "Kimm"]]], headers: contact)
            #expect(mine.result(changed)["details"]?["My_Key"] == "k-1" && mine.result(changed)["details"]?["id"] == .string(id))
            let copy = await mine.send("POST", "Contacts/\(id)/actions/clone", ["data": [[:]]])
            #expect(copy.status == 201, "\(copy.text)")
            #expect(await mine.record("Contacts", mine.result(copy)["details"]?["id"]?.string ?? "")["My_Key"] == .null)
        }
    }
}
