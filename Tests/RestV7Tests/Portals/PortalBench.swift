import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// A portal with a user type for contacts, and short ways to invite them.
struct PortalBench {
    let caller: RecordCaller
    var server: TestServer { caller.server }
    let modules: JSONValue

    init(_ server: TestServer) async throws {
        caller = try await RecordCaller(server)
        let catalog = server.services.catalog.current()
        let contacts = try #require(catalog.module("Contacts"))
        let notes = try #require(catalog.module("Notes"))
        let layout = try #require(catalog.documents(.layout).first { $0.parent?.raw == contacts.id.raw })
        let view = try #require(catalog.documents(.customView).first { $0.parent?.raw == contacts.id.raw })
        let email = try #require(contacts.field("Email"))
        modules = [
            [
                "id": .string(String(contacts.id.raw)), "layouts": [["id": .id(layout.id)]], "permissions": ["view": true],
                "views": ["id": .id(view.id), "type": "custom_view"], "filters": .null,
                "fields": [["id": .string(String(email.id.raw)), "read_only": true]], "shared_type": "private",
            ],
            [
                "id": .string(String(notes.id.raw)), "layouts": .null, "permissions": ["view": true], "views": .null, "filters": .null,
                "shared_type": "private",
            ],
        ]
        await caller.send("POST", "settings/portals", ["portals": [["name": "clientdesk"]]])
    }

    func typeBody(_ name: String, _ changes: (inout JSONValue) -> Void = { _ in }) -> JSONValue {
        var body: JSONValue = [
            "name": .string(name), "personality_module": ["api_name": "Contacts"], "active": true, "modules": modules,
        ]
        changes(&body)
        return ["user_type": [body]]
    }

    func makeType(_ name: String = "Vendor") async throws -> String {
        let answer = await caller.send("POST", "settings/portals/clientdesk/user_type", typeBody(name))
        try #require(answer.status == 200, "\(answer.text)")
        return try #require(answer.json?["user_type"]?.array?.first?["details"]?["id"]?.string)
    }

    func contact(_ name: String, _ email: String? = nil) async throws -> String {
        try await caller.insert(
            "Contacts", [["Last_Name": .string(name), "Email": .string(email ?? "\(name.lowercased())@acme.example")]])[0]
    }

    func invite(_ contact: String, _ type: String, _ kind: String = "invite", _ more: String = "") async -> TestServer.Answer {
        await caller.send("POST", "Contacts/\(contact)/actions/portal_invite?user_type_id=\(type)&type=\(kind)\(more)")
    }

    func path(_ type: String) -> String { "settings/portals/clientdesk/user_type/\(type)/users" }

    func users(_ type: String, _ group: String = "AllUsers", _ more: String = "") async -> [JSONValue] {
        await caller.send("GET", path(type) + "?type=\(group)\(more)").json?["users"]?.array ?? []
    }

    func names(_ type: String, _ group: String = "AllUsers", _ more: String = "") async -> [String] {
        await users(type, group, more).compactMap { $0["name"]?.string }
    }

    /// The last mail to an address.
    func mail(to address: String) async throws -> JSONValue {
        let token = try await server.token("ZohoCRM.settings.jobs.READ")
        let mails = await server.send("GET", "/crm/v7/__mails", token: token).json?["mails"]?.array ?? []
        return mails.first { $0["to"]?.string == address } ?? .null
    }

    /// The path of the link in a mail.
    func link(in mail: JSONValue) -> String {
        let line = (mail["content"]?.string ?? "").split(separator: "\n").first { $0.contains("/portals/") } ?? ""
        return line.firstRange(of: "/portals/").map { String(line[$0.lowerBound...]) } ?? ""
    }
}
