import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Invitations to events follow a merge. Contract: merge, §6, "Events participants".
@Suite struct EventParticipantTests {
    @Test(arguments: TestServer.engines)
    func theMasterIsInvitedInPlaceOfTheChild(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let master = try await server.add("Contacts", ["Last_Name": "Ito"], token: token)
            let child = try await server.add("Contacts", ["Last_Name": "Itoh"], token: token)
            func invitation(_ id: String, _ status: JSONValue) -> JSONValue {
                ["type": "contact", "participant": .string(id), "name": "somebody", "invited": true, "status": status]
            }
            func event(_ participants: [JSONValue]) async throws -> String {
                let values: JSONValue = [
                    "Event_Title": "Fair", "Start_DateTime": "2026-01-01T10:00:00Z", "End_DateTime": "2026-01-01T11:00:00Z",
                    "Participants": .array(participants),
                ]
                return try await server.add("Events", values, token: token)
            }
            let stranger: JSONValue = ["type": "email", "participant": "guest@acme.example"]
            let alone = try await event([invitation(child, "not_known"), stranger])
            let both = try await event([invitation(master, "not_known"), invitation(child, "accepted")])
            let before = [await server.record("Events", alone, token: token), await server.record("Events", both, token: token)]

            let body: JSONValue = ["merge": [["data": [["id": .string(child), "_fields": []]]]]]
            let path = "/crm/v7/Contacts/\(master)/actions/merge"
            let preview = await server.send("POST", "\(path)?dry_run=true", body, token: token)
            #expect(preview.json?["merge"]?.array?.first?["details"]?["moved"]?["Events.Participants"] == 2, "\(preview.text)")
            let merged = await server.send("POST", "\(path)?verbose=true", body, token: token)
            let details = merged.json?["merge"]?.array?.first?["details"] ?? .null
            #expect(details["moved"]?["Events.Participants"] == 2, "\(merged.text)")

            let first = await server.record("Events", alone, token: token)?["Participants"]?.array ?? []
            #expect(first.map { $0["participant"] } == [.string(master), "guest@acme.example"])
            #expect(first.first?["name"] == "Ito")
            let second = await server.record("Events", both, token: token)?["Participants"]?.array ?? []
            #expect(second.map { $0["participant"] } == [.string(master)] && second.first?["status"] == "accepted")

            let undo = await server.send(
                "POST", "/crm/v7/Contacts/\(master)/actions/unmerge", ["journal_id": details["journal_id"] ?? .null], token: token)
            #expect(undo.status == 200, "\(undo.text)")
            let after = [await server.record("Events", alone, token: token), await server.record("Events", both, token: token)]
            #expect(after.map { $0?["Participants"] } == before.map { $0?["Participants"] })
        }
    }
}
