import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Lookups that hold several records or people. Contract: `metadata/types.md`, "multiselectlookup" and "multiuserlookup"; `common.md` §10.
@Suite struct MultiLookupTests {
    private let service: JSONValue = ["Service_Name": "Repair", "Duration": 60, "Price": 10, "Location": "Client Address", "Availability_Type": "Every Business Days"]

    private func with(_ members: JSONValue) -> JSONValue {
        var item = service
        item["Members"] = members
        return item
    }

    @Test(arguments: TestServer.engines)
    func peopleAreJoinedReadAndTakenAway(_ engine: Database.Engine) async throws {
        try await RowBench.with(engine) { bench in
            let user = JSONValue.string(String(bench.server.administrator.id.raw))
            let id = try await bench.add("Services__s", with([["Members": ["id": user]], ["Members": ["id": user]]]))
            let record = await bench.record("Services__s", id), members = record["Members"]?.array ?? []
            #expect(members.count == 1, "a person is joined once")
            #expect(members.first?["Members"]?["id"] == user && members.first?["Members"]?["name"]?.string != nil)
            #expect(members.first?["id"]?.string != nil && members.first?["Service"] == nil)
            #expect(record["$has_more"]?["Members"] == false)

            // Mandatory: the last one cannot be taken away, and a service needs some (`services.md`).
            let last = await bench.change("Services__s", id, ["Members": [["id": members.first?["id"] ?? .null, "_delete": .null]]])
            #expect(bench.result(last)["code"] == "MANDATORY_NOT_FOUND", "\(last.text)")
            for (given, code) in [(.null, "MANDATORY_NOT_FOUND"), ([["Members": ["id": "7"]]], "INVALID_DATA"), ([["Members": "x"]], "INVALID_DATA")] as [(JSONValue, String)] {
                let answer = await bench.send("POST", "Services__s", ["data": [with(given)]])
                #expect(bench.result(answer)["code"]?.string == code, "\(answer.text)")
            }
            #expect(await bench.record("Services__s", id)["Members"]?.array?.count == 1)
            let fields = await bench.send("GET", "settings/fields?module=Services__s"), field = fields.json?["fields"]?.array?.first { $0["api_name"] == "Members" }
            #expect(field?["multiuserlookup"]?["lookup_apiname"] == "Service")
        }
    }
}
