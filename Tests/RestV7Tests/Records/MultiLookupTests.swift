import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Lookups that hold several records or people. Contract: `metadata/types.md`, "multiselectlookup" and "multiuserlookup"; `common.md` §10.
@Suite struct MultiLookupTests {
    private let service: JSONValue = [
        "Service_Name": "Repair", "Duration": 60, "Price": 10, "Location": "Client Address", "Availability_Type": "Every Business Days",
    ]

    private func with(_ members: JSONValue) -> JSONValue {
        var item = service
        item["Members"] = members
        return item
    }

    /// A multi-select lookup made through settings, written from one side and read from both.
    @Test(arguments: TestServer.engines)
    func recordsAreJoinedThroughAFieldOfTheOrganisation(_ engine: Database.Engine) async throws {
        try await RowBench.with(engine) { bench in
            let (mine, theirs) = try await bench.server.joinByField(bench.token)
            let latin = try await bench.add("Products", ["Product_Name": "Latin"])
            let greek = try await bench.add("Products", ["Product_Name": "Greek"])
            func joining(_ id: String) -> JSONValue { [theirs: ["id": .string(id)]] }
            let kim = try await bench.add("Contacts", ["Last_Name": "Kim", "Courses": [joining(latin), joining(greek)]])
            let rows = await bench.record("Contacts", kim)["Courses"]?.array ?? []
            #expect(rows.map { $0[theirs] } == [["name": "Latin", "id": .string(latin)], ["name": "Greek", "id": .string(greek)]])
            #expect(await bench.record("Products", greek)["Students"]?.array?.first?[mine]?["name"] == "Kim")

            let again = await bench.change(
                "Contacts", kim, ["Courses": [joining(latin), ["id": rows.last?["id"] ?? .null, "_delete": .null]]])
            #expect(again.status == 200, "\(again.text)")
            #expect(await bench.record("Contacts", kim)["Courses"]?.array?.map { $0["id"] } == [rows[0]["id"]])
            #expect(await bench.record("Products", greek)["Students"] == [])
            #expect(bench.result(await bench.change("Contacts", kim, ["Courses": [joining(kim)]]))["code"] == "INVALID_DATA")

            // A link to a record in the bin is not shown, and is there again when the record is.
            _ = await bench.send("DELETE", "Products/\(latin)")
            #expect(await bench.record("Contacts", kim)["Courses"] == [])

            // Merging unites the links of both (`merge.md` §4).
            let lee = try await bench.add("Contacts", ["Last_Name": "Lee", "Courses": [joining(greek)]])
            let merged = await bench.send("POST", "Contacts/\(kim)/actions/merge", ["merge": [["data": [["id": .string(lee)]]]]])
            #expect(merged.status == 200 || merged.status == 201, "\(merged.text)")
            #expect(await bench.record("Contacts", kim)["Courses"]?.array?.map { $0[theirs]?["id"]?.string } == [greek])
        }
    }

    @Test(arguments: TestServer.engines)
    func peopleAreJoinedReadAndTakenAway(_ engine: Database.Engine) async throws {
        try await RowBench.with(engine) { bench in
            let user = JSONValue.string(String(bench.server.administrator.id.raw))
            let id = try await bench.add("Services__s", with([["Members": ["id": user]], ["Members": ["id": user]]]))
            let record = await bench.record("Services__s", id)
            let members = record["Members"]?.array ?? []
            #expect(members.count == 1, "a person is joined once")
            #expect(members.first?["Members"]?["id"] == user && members.first?["Members"]?["name"]?.string != nil)
            #expect(members.first?["id"]?.string != nil && members.first?["Service"] == nil)
            #expect(record["$has_more"]?["Members"] == false)

            // Mandatory: the last one cannot be taken away, and a service needs some (`services.md`).
            let last = await bench.change("Services__s", id, ["Members": [["id": members.first?["id"] ?? .null, "_delete": .null]]])
            #expect(bench.result(last)["code"] == "MANDATORY_NOT_FOUND", "\(last.text)")
            for (given, code) in [
                (.null, "MANDATORY_NOT_FOUND"), ([["Members": ["id": "7"]]], "INVALID_DATA"), ([["Members": "x"]], "INVALID_DATA"),
            ] as [(JSONValue, String)] {
                let answer = await bench.send("POST", "Services__s", ["data": [with(given)]])
                #expect(bench.result(answer)["code"]?.string == code, "\(answer.text)")
            }
            #expect(await bench.record("Services__s", id)["Members"]?.array?.count == 1)
            let fields = await bench.send("GET", "settings/fields?module=Services__s")
            let field = fields.json?["fields"]?.array?.first { $0["api_name"] == "Members" }
            #expect(field?["multiuserlookup"]?["lookup_apiname"] == "Service")
        }
    }
}
