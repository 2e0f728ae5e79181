import CRMCore
import HTTPShell
import Metadata
import SQLStore
import TributaryTestKit
import Wire

/// People of every kind around one family of records that belongs to one of them. Everything that names the records says
/// "Zanzibar", so that an answer that leaks is found by that word.
struct RightsCast {
    struct Person: Sendable {
        let name: String
        let id: RecordID
        let token: String
        /// What the family grants this person; `nil` for those to whom it is not there.
        let level: AccessLevel?
        /// Through a share rather than as its owner or above.
        let byShare: Bool
        /// Whether the profile keeps the person from the whole module.
        let kept: Bool
    }

    static let secret = "Zanzibar"
    static let scopes =
        "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.coql.READ,ZohoSearch.securesearch.READ,ZohoCRM.share.ALL,"
        + "ZohoCRM.change_owner.ALL,ZohoCRM.mass_update.ALL,ZohoCRM.mass_delete.ALL,ZohoCRM.composite_requests.CUSTOM"
    static let closed = ["Accounts", "Contacts", "Deals", "Tasks", "Leads"]

    let server: TestServer
    let organisation: Organisation
    let administrator: String
    let owner: Person
    let people: [Person]
    private let outer: RecordID
    private let auditors: RecordID

    init(_ server: TestServer) async throws {
        self.server = server
        let organisation = try Organisation(server)
        self.organisation = organisation
        administrator = try await server.token(Self.scopes)
        let top = server.services.catalog.current().documents(.role)[0].id
        func role(_ name: String, under: RecordID, peers: Bool = false) async throws -> RecordID {
            try await server.services.changeMetadata { scope in
                try scope.add(
                    .role, name,
                    ["name": .string(name), "reporting_to": ["id": .id(under), "name": "above"], "share_with_peers": .bool(peers)])
            }
        }
        let directors = try await role("Directors", under: top)
        let quiet = try await role("Quiet", under: directors)
        let juniors = try await role("Juniors", under: quiet)
        let sales = try await role("Sales", under: directors, peers: true)
        let clerks = try await role("Clerks", under: top)
        let pages = try await role("Pages", under: clerks)
        let auditors = try await role("Auditors", under: top)
        self.auditors = auditors
        let (outer, keptOut) = try await server.services.changeMetadata { scope -> (RecordID, RecordID) in
            let inner = try scope.add(
                .userGroup, "Inner", ["name": "Inner", "sources": [["type": "roles", "id": .id(clerks), "below": true]]])
            let outer = try scope.add(
                .userGroup, "Outer", ["name": "Outer", "sources": [["type": "groups", "id": .id(inner), "below": false]]])
            // Everything the standard profile has, but nothing of accounts, contacts, deals and tasks.
            var body = scope.catalog.documents(.profile)[1].body
            let names = (body["permissions"]?.array ?? []).filter { right in
                !Self.closed.contains { right.string?.hasSuffix("_\($0)") ?? false }
            }
            body["permissions"] = .array(names)
            body["name"] = "Kept Out"
            return (outer, try scope.add(.profile, "Kept_Out", body))
        }
        self.outer = outer

        func person(
            _ name: String, _ role: RecordID, _ level: AccessLevel?, byShare: Bool = false, profile: RecordID? = nil
        ) async throws -> Person {
            let made = try await organisation.user(
                "\(name)@x.example", profile: profile ?? organisation.standard, role: role, scopes: Self.scopes)
            return Person(name: name, id: made.id, token: made.token, level: level, byShare: byShare, kept: profile != nil)
        }
        owner = try await person("owner", quiet, .full)
        var people = [owner]
        people.append(try await person("superior", directors, .full))
        people.append(try await person("peer", quiet, nil))
        people.append(try await person("subordinate", juniors, nil))
        people.append(try await person("stranger", sales, nil))
        people.append(try await person("reader", sales, .read, byShare: true))
        people.append(try await person("writer", sales, .write, byShare: true))
        people.append(try await person("friend", auditors, .full, byShare: true))
        people.append(try await person("member", pages, .read, byShare: true))
        people.append(try await person("auditor", auditors, .read, byShare: true))
        people.append(try await person("kept", sales, nil, profile: keptOut))
        self.people = people
        try await Self.close(Self.closed, server, administrator)
    }

    static func close(_ modules: [String], _ server: TestServer, _ token: String, _ type: String = "private") async throws {
        let catalog = server.services.catalog.current()
        let settings = modules.compactMap { catalog.module($0) }.map { module -> JSONValue in
            ["module": ["id": .string(String(module.id.raw))], "share_type": .string(type)]
        }
        let answer = await server.send("PUT", "/crm/v7/settings/data_sharing", ["data_sharing": .array(settings)], token: token)
        guard answer.status == 200 else { throw TestServer.Unexpected(answer.text) }
    }

    subscript(_ name: String) -> Person { people.first { $0.name == name } ?? owner }
}

extension RightsCast {
    /// An account with what hangs on it, all of it one person's, beside public records that point at it.
    struct Family: Sendable {
        let account: String
        let contact: String
        let deal: String
        let note: String
        let attachment: String
        let gone: String
        let tag: String
        /// Public ones of the administrator's.
        let campaign: String
        let ticket: String
        let product: String
        /// A mail that stands with the account.
        let mail: String
        /// The id of a view of accounts that shows all.
        let view: String
    }

    func family() async throws -> Family {
        let word = Self.secret
        func add(_ module: String, _ record: JSONValue, _ token: String) async throws -> String {
            try await server.add(module, record, token: token)
        }
        func reference(_ id: String) -> JSONValue { ["id": .string(id)] }
        let token = owner.token
        let account = try await add("Accounts", ["Account_Name": .string(word), "Phone": "5550134"], token)
        let contact = try await add(
            "Contacts", ["Last_Name": .string(word), "Email": "zanzibar@x.example", "Account_Name": reference(account)], token)
        let deal = try await add(
            "Deals", ["Deal_Name": .string(word), "Stage": "Qualification", "Account_Name": reference(account)], token)
        _ = try await add(
            "Tasks", ["Subject": .string(word), "What_Id": reference(account), "$se_module": "Accounts"], token)
        let notes = await server.send(
            "POST", "/crm/v7/Accounts/\(account)/Notes", ["data": [["Note_Title": .string(word), "Note_Content": .string(word)]]],
            token: token)
        let attached = await server.send(
            "POST", "/crm/v7/Accounts/\(account)/Attachments?attachmentUrl=https://x.example/a&title=\(word)", token: token)
        let tagged = await server.send(
            "POST", "/crm/v7/Accounts/\(account)/actions/add_tags", ["tags": [["name": "Spice"]]], token: token)
        let gone = try await add("Accounts", ["Account_Name": .string(word + " gone")], token)
        await server.send("DELETE", "/crm/v7/Accounts/\(gone)", token: token)
        let campaign = try await add("Campaigns", ["Campaign_Name": "Fair"], administrator)
        let ticket = try await add(
            "Cases", ["Subject": "Visible", "Case_Origin": "Email", "Status": "New", "Account_Name": reference(account)], administrator)
        let product = try await add("Products", ["Product_Name": "Bell"], administrator)
        _ = try await add("Tasks", ["Subject": .string(word), "What_Id": reference(product), "$se_module": "Products"], token)
        let joined = await server.send("PUT", "/crm/v7/Campaigns/\(campaign)/Contacts/\(contact)", ["data": [[:]]], token: administrator)
        guard joined.status == 200, tagged.status == 200, attached.status == 200 else {
            throw TestServer.Unexpected(joined.text + tagged.text + attached.text)
        }
        let mailed = await server.send(
            "POST", "/crm/v7/Accounts/\(account)/actions/associate_email",
            [
                "Emails": [
                    [
                        "from": ["email": "a@x.example"], "to": [["email": "b@x.example"]], "subject": .string(word),
                        "content": .string(word), "sent": true, "date_time": "2026-01-01T00:00:00Z", "original_message_id": "first",
                    ]
                ]
            ], token: token)
        let mine = await RightsPath.address(of: token, server)
        let drafted = await server.send(
            "POST", "/crm/v7/Accounts/\(account)/__email_drafts",
            ["__email_drafts": [["from": .string(mine), "rich_text": true, "subject": .string(word)]]], token: token)
        guard mailed.status == 201, drafted.status == 201 else { throw TestServer.Unexpected(mailed.text + drafted.text) }
        try await share(account)
        let tags = await server.send("GET", "/crm/v7/settings/tags?module=Accounts", token: administrator).json?["tags"]?.array ?? []
        let views =
            await server.send("GET", "/crm/v7/settings/custom_views?module=Accounts", token: administrator)
            .json?["custom_views"]?.array ?? []
        return Family(
            account: account, contact: contact, deal: deal, note: notes.json?.first("data")?["details"]?["id"]?.string ?? "",
            attachment: attached.json?.first("data")?["details"]?["id"]?.string ?? "", gone: gone, tag: tags.first?["id"]?.string ?? "",
            campaign: campaign, ticket: ticket, product: product,
            mail: mailed.json?.first("Emails")?["details"]?["message_id"]?.string ?? "",
            view: views.first { $0["system_name"]?.string?.hasPrefix("ALL") ?? false }?["id"]?.string ?? views.first?["id"]?.string ?? "")
    }

    private func share(_ account: String) async throws {
        func with(_ type: String, _ id: RecordID, _ permission: String) -> JSONValue {
            [
                "shared_with": ["type": .string(type), "id": .id(id)], "permission": .string(permission), "type": "private",
                "share_related_records": true,
            ]
        }
        let shares: JSONValue = [
            with("users", self["reader"].id, "read_only"), with("users", self["writer"].id, "read_write"),
            with("users", self["friend"].id, "full_access"), with("groups", outer, "read_only"), with("roles", auditors, "read_only"),
        ]
        let answer = await server.send("POST", "/crm/v7/Accounts/\(account)/actions/share", ["share": shares], token: owner.token)
        guard answer.status == 200 else { throw TestServer.Unexpected(answer.text) }
    }

    /// What a write could have changed, as the administrator sees it.
    func state(of family: Family) async -> [String] {
        let paths = [
            "Accounts/\(family.account)", "Contacts/\(family.contact)", "Deals/\(family.deal)", "Notes/\(family.note)",
            "Accounts/\(family.account)/Notes?fields=Note_Title,Modified_Time",
            "Accounts/\(family.account)/Attachments?fields=File_Name", "Accounts/\(family.account)/actions/share",
            "Contacts/\(family.contact)/Campaigns?fields=Campaign_Name", "settings/recycle_bin/\(family.gone)",
        ]
        var state: [String] = []
        for path in paths { state.append(await server.send("GET", "/crm/v7/\(path)", token: administrator).text) }
        return state
    }
}
