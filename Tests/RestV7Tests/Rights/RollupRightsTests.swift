import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// A summary tells what it sums up: whoever does not see the one does not see the other (`docs/rights.md`, fields).
@Suite struct RollupRightsTests {
    private static let sum = 8_765_432

    /// What hides the summary `Deal_sum` of accounts, and the formula `Twice` of it, from a profile.
    enum Veil: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case nothing, parameter, criteria, module
        var testDescription: String { rawValue }
    }

    private static func rollup(_ label: String, where criteria: JSONValue) -> JSONValue {
        [
            "field_label": .string(label), "data_type": "rollup_summary",
            "rollup_summary": [
                "expression": ["function": "SUM", "function_parameters": [["api_name": "Amount"]], "criteria": criteria],
                "based_on_module": ["api_name": "Deals"], "related_list": ["api_name": "Deals"], "rollup_based_on": "module",
            ],
        ]
    }

    @Test(arguments: TestServer.engines, Veil.allCases)
    func aSummaryIsHiddenWithWhatItSumsUp(_ engine: Database.Engine, _ veil: Veil) async throws {
        try await TestServer.with(engine) { server in
            let org = try Organisation(server)
            let admin = try await server.token(RightsCast.scopes)
            let cloned = await server.send(
                "POST", "/crm/v7/settings/profiles/\(org.standard)/actions/clone", ["profiles": [["name": "Narrow"]]], token: admin)
            let profile = try #require(RecordID(cloned.json?.first("profiles")?["details"]?["id"]?.string ?? ""))
            let role = server.services.catalog.current().documents(.role)[1].id
            let token = try await org.user("narrow@x.example", profile: profile, role: role, scopes: RightsCast.scopes).token
            let criteria: JSONValue = ["field": ["api_name": "Description"], "comparator": "equal", "value": "count me"]
            await org.makeFields("Accounts", [Self.rollup("Deal sum", where: criteria)], admin)
            await org.makeFields(
                "Accounts",
                [["field_label": "Twice", "data_type": "formula", "formula": ["return_type": "double", "expression": "${Deal_sum} * 2"]]],
                admin)
            let account = try await server.add("Accounts", ["Account_Name": "Acme"], token: admin)
            _ = try await server.add(
                "Deals",
                [
                    "Deal_Name": "D", "Stage": "Qualification", "Closing_Date": "2030-01-01", "Amount": .integer(Int64(Self.sum)),
                    "Description": "count me", "Account_Name": ["id": .string(account)],
                ], token: admin)
            if veil == .module {
                let rights = await server.send("GET", "/crm/v7/settings/profiles/\(profile)", token: admin)
                let view = (rights.json?.first("profiles")?["permissions_details"]?.array ?? []).first {
                    $0["name"] == "Crm_Implied_View_Deals"
                }
                let answer = await server.send(
                    "PUT", "/crm/v7/settings/profiles/\(profile)",
                    ["profiles": [["permissions_details": [["id": view?["id"] ?? .null, "enabled": false]]]]], token: admin)
                try #require(answer.status == 200, "\(answer.text)")
            } else if veil != .nothing {
                let name = veil == .parameter ? "Amount" : "Description"
                let id = try #require(server.services.catalog.current().module("Deals")?.field(name)).id
                let answer = await server.send(
                    "PATCH", "/crm/v7/settings/fields/\(id.raw)?module=Deals",
                    ["fields": [["profiles": [["id": .id(profile), "permission_type": "hidden"]]]]], token: admin)
                try #require(answer.status == 200, "\(answer.text)")
            }
            func get(_ path: String) async -> TestServer.Answer { await server.send("GET", "/crm/v7/" + path, token: token) }
            func ask(_ query: String) async -> TestServer.Answer {
                await server.send("POST", "/crm/v7/coql", ["select_query": .string(query)], token: token)
            }
            let reads: [(String, TestServer.Answer)] = [
                ("record", await get("Accounts/\(account)")), ("list", await get("Accounts?fields=Account_Name,Deal_sum,Twice")),
                ("search", await get("Accounts/search?criteria=(Account_Name:equals:Acme)")),
                ("fields", await get("settings/fields?module=Accounts")),
                ("layouts", await get("settings/layouts?module=Accounts")),
                ("full data", await get("Accounts/\(account)/actions/fetch_full_data")),
                ("clone", await server.send("POST", "/crm/v7/Accounts/\(account)/actions/clone", token: token)),
            ]
            let asked = [
                await ask("select Deal_sum from Accounts where id is not null"),
                await ask("select Twice from Accounts where id is not null"),
                await ask("select Account_Name from Accounts where Deal_sum > 1"),
                await ask("select Account_Name from Accounts where id is not null order by Twice"),
                await ask("select MAX(Deal_sum) as m from Accounts where id is not null"),
            ]
            guard veil != .nothing else {
                #expect(reads[0].1.text.contains(String(Self.sum)) && reads[0].1.text.contains(String(Self.sum * 2)), "\(reads[0].1.text)")
                #expect(asked.allSatisfy { $0.status == 200 })
                return
            }
            for (name, answer) in reads {
                #expect(answer.status < 300, "\(name): \(answer.text)")
                for word in ["Deal_sum", "Twice", String(Self.sum), String(Self.sum * 2)] {
                    #expect(!answer.text.contains(word), "\(name) shows \(word)")
                }
            }
            for answer in asked { #expect(answer.status == 400 && !answer.text.contains(String(Self.sum)), "\(answer.text)") }
            #expect(await server.record("Accounts", account, token: admin)?["Deal_sum"]?.double == Double(Self.sum))
        }
    }
}
