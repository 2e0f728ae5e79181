import CRMCore
import HTTPShell
import Metadata
import SQLStore
import TributaryTestKit
import Wire

/// An organisation with three sellers in one role and a clerk elsewhere, and calls about its rules.
struct AutomationCast {
    static let scopes =
        "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.share.ALL,ZohoSearch.securesearch.READ,ZohoCRM.coql.READ"
    static let rules = "/crm/v7/settings/automation/assignment_rules"
    static let scoring = "/crm/v7/settings/automation/scoring_rules"

    let server: TestServer
    let organisation: Organisation
    let token: String
    let sales: RecordID
    let sellers: [(id: RecordID, token: String)]
    let clerk: (id: RecordID, token: String)

    init(_ server: TestServer) async throws {
        self.server = server
        organisation = try Organisation(server)
        token = try await server.token(Self.scopes)
        let top = server.services.catalog.current().documents(.role)[0].id
        sales = try await server.services.changeMetadata { scope in
            try scope.add(
                .role, "Sellers", ["name": "Sellers", "reporting_to": ["id": .id(top), "name": "CEO"], "share_with_peers": false])
        }
        var sellers: [(id: RecordID, token: String)] = []
        for name in ["one", "two", "three"] {
            sellers.append(
                try await organisation.user("\(name)@sales.example", profile: organisation.standard, role: sales, scopes: Self.scopes))
        }
        self.sellers = sellers
        clerk = try await organisation.user("clerk@sales.example", profile: organisation.standard, role: top, scopes: Self.scopes)
    }

    @discardableResult
    func send(_ method: String, _ path: String, _ body: JSONValue? = nil, token other: String? = nil) async -> TestServer.Answer {
        await server.send(method, path.hasPrefix("/") ? path : "/crm/v7/" + path, body, token: other ?? token)
    }

    func make(_ rule: JSONValue) async -> TestServer.Answer { await send("POST", Self.rules, ["assignment_rules": [rule]]) }

    /// A rule that must be taken; its id.
    func rule(_ rule: JSONValue) async throws -> String {
        let answer = await make(rule)
        guard answer.status == 201, let id = answer.first("assignment_rules")["details"]?["id"]?.string else {
            throw TestServer.Unexpected(answer.text)
        }
        return id
    }

    /// The members of one rule about leads of a city, for everybody in the sales role.
    func cityRule(_ city: String = "Oslo", skips: Bool = false, fallback: RecordID? = nil) -> JSONValue {
        [
            "name": "Web leads", "module": ["api_name": "Leads"], "default_assignee": fallback.map { ["id": .id($0)] } ?? .null,
            "rule_entries": [
                [
                    "criteria": Self.test("City", "equal", .string(city)), "skip_unavailable_users": .bool(skips),
                    "assignees": [["type": "roles", "source": ["id": .id(sales)]]],
                ]
            ],
        ]
    }

    static func test(_ field: String, _ comparator: String, _ value: JSONValue) -> JSONValue {
        ["field": ["api_name": .string(field)], "comparator": .string(comparator), "value": value]
    }

    /// Adds leads, and says who owns them.
    func owners(ofLeads items: [JSONValue], rule: String?) async throws -> [RecordID?] {
        var body: JSONValue = ["data": .array(items)]
        if let rule { body["lar_id"] = .string(rule) }
        let answer = await send("POST", "Leads", body)
        guard answer.status == 201 else { throw TestServer.Unexpected(answer.text) }
        var owners: [RecordID?] = []
        for id in answer.rows.compactMap({ $0["details"]?["id"]?.string }) { owners.append(await owner("Leads", id)) }
        return owners
    }

    func owner(_ module: String, _ id: String) async -> RecordID? {
        await send("GET", "\(module)/\(id)").rows.first?["Owner"]?["id"]?.string.flatMap { RecordID($0) }
    }

    func lead(_ name: String, _ city: String = "Oslo") -> JSONValue {
        ["Last_Name": .string(name), "Company": "Acme", "City": .string(city)]
    }
}

extension TestServer.Answer {
    /// The first element under a key.
    func first(_ key: String) -> JSONValue { json?[key]?.array?.first ?? .null }
}
