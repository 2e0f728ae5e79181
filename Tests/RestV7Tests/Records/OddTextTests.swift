import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Texts that look alike, searches without a name to rank by, and ids that are none.
@Suite struct OddTextTests {
    private static let composed = "caf\u{E9}"
    private static let decomposed = "cafe\u{301}"

    /// The bytes of a text: `==` takes both forms for one.
    private static func bytes(_ value: JSONValue?) -> [UInt8]? { value?.string.map { Array($0.utf8) } }

    @Test(arguments: TestServer.engines)
    func aTextThatOnlyLooksTheSameIsStored(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let id = try await server.add("Contacts", ["Last_Name": .string(Self.composed)], token: token)
            let changed = await server.send(
                "PUT", "/crm/v7/Contacts/\(id)", ["data": [["Last_Name": .string(Self.decomposed)]]], token: token)
            #expect(changed.status == 200)
            #expect(Self.bytes(await server.record("Contacts", id, token: token)?["Last_Name"]) == Array(Self.decomposed.utf8))
            let found = await server.send(
                "POST", "/crm/v7/coql", ["select_query": .string("select id from Contacts where Last_Name = '\(Self.decomposed)'")],
                token: token)
            #expect(found.json?["data"]?.array?.count == 1, "\(found.text)")
        }
    }

    /// records, 131: words are searched for in all texts, whether or not there is a name to rank by.
    @Test(arguments: TestServer.engines)
    func wordsAreFoundWhereRecordsHaveNoName(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(RightsCast.scopes)
            let lost = await server.send("GET", "/crm/v7/Quoted_Items/search?word=love&fields=id", token: token)
            #expect(lost.status == 204, "\(lost.text)")
            let org = try Organisation(server)
            let narrow = try await org.user("odd@x.example", profile: org.standard, scopes: RightsCast.scopes)
            let field = try #require(server.services.catalog.current().module("Leads")?.field("Last_Name")).id
            let hidden = await server.send(
                "PATCH", "/crm/v7/settings/fields/\(field.raw)?module=Leads",
                ["fields": [["profiles": [["id": .id(org.standard), "permission_type": "hidden"]]]]], token: token)
            try #require(hidden.status == 200, "\(hidden.text)")
            let lead = try await server.add("Leads", ["Last_Name": "Secret", "City": "Lovelace"], token: token)
            let found = await server.send("GET", "/crm/v7/Leads/search?word=lovel&fields=City", token: narrow.token)
            #expect(found.json?["data"]?.array?.first?["id"] == .string(lead), "\(found.text)")
            // Three signs of this script are six scalars.
            let short = await server.send("GET", "/crm/v7/Leads/search?word=%E0%A4%A8%E0%A5%8D%E0%A4%A6", token: token)
            #expect(short.status == 204, "\(short.text)")
        }
    }

    /// records, 121: what is no id is refused, as in an update.
    @Test(arguments: TestServer.engines)
    func anUpsertRefusesWhatIsNoID(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            for id in ["abc", "-1", "9223372036854775808"] {
                let answer = await server.send(
                    "POST", "/crm/v7/Contacts/upsert", ["data": [["id": .string(id), "Last_Name": "x"]]], token: token)
                #expect(answer.json?["data"]?.array?.first?["code"] == "INVALID_DATA", "\(id): \(answer.text)")
            }
            let list = await server.send("GET", "/crm/v7/Contacts?fields=id", token: token)
            #expect(list.status == 204)
        }
    }
}
