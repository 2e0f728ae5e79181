import CRMCore
import TributaryTestKit
import Wire

/// A way to a record: one line for each. A new path into records gets its line here.
struct RightsPath: Sendable, CustomStringConvertible {
    /// Who may go it.
    enum Audience: Sendable {
        /// Whoever the family grants so much.
        case granted(AccessLevel)
        /// The owner and those above: what is gone, or hangs elsewhere, is not shared with the account.
        case hierarchy
        /// Only who sees everything.
        case administrators
    }

    let name: String
    let audience: Audience
    let method: String
    let path: @Sendable (RightsCast.Family) -> String
    let body: (@Sendable (RightsCast.Family) -> JSONValue)?
    /// Whether an answer shows the family.
    let shows: @Sendable (RightsCast.Family, TestServer.Answer) -> Bool

    var description: String { name }

    func send(_ family: RightsCast.Family, _ server: TestServer, _ token: String) async -> TestServer.Answer {
        var body = body?(family)
        if let text = body?.text, text.contains(Self.me) {
            let address = await Self.address(of: token, server)
            body = (try? JSONValue.parse(Array(text.replacing(Self.me, with: address).utf8))) ?? body
        }
        return await server.send(method, "/crm/v7/" + path(family), body, token: token)
    }

    /// Stands for the sender's own address.
    static let me = "me@x.example"

    static func address(of token: String, _ server: TestServer) async -> String {
        let answer = await server.send("GET", "/crm/v7/settings/emails/actions/from_addresses", token: token)
        return answer.json?["from_addresses"]?.array?.first?["email"]?.string ?? me
    }

    func allows(_ person: RightsCast.Person) -> Bool {
        guard let level = person.level else { return false }
        return switch audience {
        case .granted(let wanted): wanted <= level
        case .hierarchy: !person.byShare
        case .administrators: false
        }
    }

    private static func get(
        _ name: String, _ audience: Audience = .granted(.read), _ path: @Sendable @escaping (RightsCast.Family) -> String,
        shows: (@Sendable (RightsCast.Family, TestServer.Answer) -> Bool)? = nil
    ) -> RightsPath {
        RightsPath(
            name: name, audience: audience, method: "GET", path: path, body: nil, shows: shows ?? { $1.text.contains(RightsCast.secret) })
    }

    private static func ask(
        _ name: String, _ query: String, shows: (@Sendable (RightsCast.Family, TestServer.Answer) -> Bool)? = nil
    ) -> RightsPath {
        RightsPath(
            name: "coql " + name, audience: .granted(.read), method: "POST", path: { _ in "coql" },
            body: { ["select_query": .string(query.replacing("{case}", with: $0.ticket).replacing("{account}", with: $0.account))] },
            shows: shows ?? { $1.text.contains(RightsCast.secret) })
    }

    static let reads: [RightsPath] = [
        get("record") { "Accounts/\($0.account)" },
        get("list") { _ in "Accounts?fields=Account_Name" },
        get("list by ids") { "Accounts?fields=Account_Name&ids=\($0.account)" },
        get("list by view") { "Accounts?fields=Account_Name&cvid=\($0.view)" },
        get("list, changed lately") { _ in "Accounts?fields=Account_Name&sort_by=Modified_Time&sort_order=asc" },
        get("full data") {
            "Accounts/\($0.account)/actions/fetch_full_data"
        } shows: { _, answer in
            answer.status == 204 || answer.status == 200
        },
        get("search by criteria") { _ in "Accounts/search?criteria=(Account_Name:equals:Zanzibar)" },
        get("search by word") { _ in "Accounts/search?word=Zanzibar" },
        get("search by phone") { _ in "Accounts/search?phone=5550134" },
        get("search by email") { _ in "Contacts/search?email=zanzibar@x.example" },
        get("count") { _ in
            "Accounts/actions/count?criteria=(Account_Name:equals:Zanzibar)"
        } shows: { _, answer in
            answer.json?["count"].map { $0 != 0 } ?? false
        },
        get("related list") { "Accounts/\($0.account)/Contacts?fields=Last_Name" },
        get("related list of a related record") {
            "Contacts/\($0.contact)/Campaigns?fields=Campaign_Name"
        } shows: { family, answer in
            answer.text.contains(family.campaign)
        },
        get("related row") { "Accounts/\($0.account)/Deals/\($0.deal)" },
        get("linked list of a public record") { "Campaigns/\($0.campaign)/Contacts?fields=Last_Name" },
        get("linked row of a public record") { "Campaigns/\($0.campaign)/Contacts/\($0.contact)" },
        get("lookup in a record") { "Cases/\($0.ticket)" },
        get("lookup in a list") { _ in "Cases?fields=Subject,Account_Name" },
        get("lookup in a search") { _ in "Cases/search?criteria=(Subject:equals:Visible)&fields=Account_Name" },
        get("timeline") { "Accounts/\($0.account)/__timeline" },
        get("timeline of a public record", .hierarchy) { "Products/\($0.product)/__timeline" },
        get("timeline of what points here") { "Contacts/\($0.contact)/__timeline" },
        get("notes") { "Accounts/\($0.account)/Notes?fields=Note_Title" },
        get("note of the record") { "Accounts/\($0.account)/Notes/\($0.note)" },
        get("all notes", .administrators) { _ in "Notes?fields=Note_Title" },
        get("note") { "Notes/\($0.note)" },
        get("note by word") { _ in "Notes/search?word=Zanzibar" },
        get("attachments") { "Accounts/\($0.account)/Attachments?fields=File_Name" },
        get("attachment") {
            "Accounts/\($0.account)/Attachments/\($0.attachment)"
        } shows: { _, answer in
            answer.status == 204
        },
        get("all attachments") { _ in "Attachments?fields=File_Name" },
        get("mails") { "Accounts/\($0.account)/Emails" },
        get("mail") { "Accounts/\($0.account)/Emails/\($0.mail)" },
        get("mails of contacts") {
            "Accounts/\($0.account)/Emails?type=all_contacts_sent_crm_emails"
        } shows: { _, answer in
            answer.status == 204
        },
        get("drafts") { "Accounts/\($0.account)/__email_drafts" },
        get("whose mails") {
            "Accounts/\($0.account)/__emails_sharing_details"
        } shows: { _, answer in
            answer.status == 200
        },
        get("photo") {
            "Accounts/\($0.account)/photo"
        } shows: { _, answer in
            answer.status == 204
        },
        get("deleted list", .hierarchy) { _ in
            "Accounts/deleted"
        } shows: {
            $1.text.contains($0.gone)
        },
        get("recycle bin", .hierarchy) { _ in "settings/recycle_bin" },
        get("recycled record", .hierarchy) { "settings/recycle_bin/\($0.gone)" },
        get("related list of a deleted record", .hierarchy) {
            "Accounts/deleted/\($0.gone)/Contacts?fields=Last_Name"
        } shows: { _, answer in
            answer.status == 204
        },
        get("count of a tag") {
            "settings/tags/\($0.tag)/actions/records_count?module=Accounts"
        } shows: { _, answer in
            answer.json?["count"].map { $0 != "0" } ?? false
        },
        get("shares") { "Accounts/\($0.account)/actions/share" },
        get("merge jobs") {
            "Accounts/\($0.account)/actions/merge"
        } shows: { _, answer in
            answer.status == 204
        },
        get("merge journals") {
            "Accounts/\($0.account)/actions/unmerge"
        } shows: { _, answer in
            answer.status == 204
        },
        get("blueprint") {
            "Accounts/\($0.account)/actions/blueprint"
        } shows: { _, answer in
            answer.text.contains("RECORD_NOT_IN_PROCESS")
        },
        get("scores") {
            "Accounts/\($0.account)/Entity_Scores__s?fields=Score"
        } shows: { _, answer in
            answer.status == 204
        },
        ask("by name", "select Account_Name from Accounts where Account_Name = 'Zanzibar'"),
        ask("count", "select COUNT(id) as n from Accounts where Account_Name = 'Zanzibar'") { _, answer in
            answer.json?.first("data")?["n"].map { $0 != 0 } ?? false
        },
        ask("groups", "select Account_Name, COUNT(id) as n from Accounts where id is not null group by Account_Name"),
        ask("joined column", "select Subject, Account_Name.Account_Name from Cases where Subject = 'Visible'"),
        ask("joined lookup", "select Subject, Account_Name from Cases where Subject = 'Visible'"),
        ask("joined condition", "select Subject from Cases where Account_Name.Account_Name = 'Zanzibar'") { $1.text.contains($0.ticket) },
        ask("joined order", "select Subject, Account_Name.Phone from Cases where id = '{case}' order by Account_Name.Phone") {
            $1.text.contains("5550134")
        },
        ask("subquery", "select Subject from Cases where Account_Name in (select id from Accounts where Phone = '5550134')") {
            $1.text.contains($0.ticket)
        },
        RightsPath(
            name: "composite", audience: .granted(.read), method: "POST", path: { _ in "__composite_requests" },
            body: { family in
                [
                    "__composite_requests": [
                        ["sub_request_id": "1", "method": "GET", "uri": .string("/crm/v7/Accounts/\(family.account)")]
                    ]
                ]
            }, shows: { $1.text.contains(RightsCast.secret) }),
    ]
}

/// A way to change records: one line for each.
extension RightsPath {
    private static func write(
        _ name: String, _ audience: Audience, _ method: String, _ path: @Sendable @escaping (RightsCast.Family) -> String,
        _ body: (@Sendable (RightsCast.Family) -> JSONValue)? = nil, success: String = "\"SUCCESS\""
    ) -> RightsPath {
        RightsPath(name: name, audience: audience, method: method, path: path, body: body, shows: { $1.text.contains(success) })
    }

    private static func data(_ record: JSONValue) -> JSONValue { ["data": [record]] }
    private static func reference(_ id: String) -> JSONValue { ["id": .string(id)] }

    /// `other` is a record of the person's own in the same module, `user` the person.
    static func writes(other: String, user: RecordID) -> [RightsPath] {
        let change: AccessLevel = .write
        let owner: JSONValue = ["id": .id(user)]
        let everybody: JSONValue = ["share": [["type": "public", "permission": "read_only"]]]
        return [
            write("update", .granted(change), "PUT", { "Accounts/\($0.account)" }) { _ in data(["Phone": "1"]) },
            write("update of a list", .granted(change), "PUT", { _ in "Accounts" }) { data(["id": .string($0.account), "Phone": "2"]) },
            write("update of a related record", .granted(change), "PUT", { "Contacts/\($0.contact)" }) { _ in data(["Phone": "1"]) },
            write("upsert by id", .granted(change), "POST", { _ in "Accounts/upsert" }) {
                data(["id": .string($0.account), "Phone": "3"])
            },
            write("upsert by value", .granted(change), "POST", { _ in "Accounts/upsert" }) { _ in
                data(["Account_Name": .string(RightsCast.secret), "Phone": "4"])
            },
            write("mass update", .granted(change), "POST", { _ in "Accounts/actions/mass_update" }) {
                ["data": [["Phone": "5"]], "ids": [.string($0.account)]]
            },
            write("change of owner by update", .granted(.full), "PUT", { "Accounts/\($0.account)" }) { _ in data(["Owner": owner]) },
            write("change of owner", .granted(.full), "POST", { "Deals/\($0.deal)/actions/change_owner" }) { _ in ["owner": owner] },
            write("change of owners", .granted(.full), "POST", { _ in "Deals/actions/change_owner" }) {
                ["owner": owner, "ids": [.string($0.deal)]]
            },
            write(
                "transition", .granted(change), "PUT", { "Accounts/\($0.account)/actions/blueprint" },
                { _ in ["blueprint": [["transition_id": "1"]]] }, success: "RECORD_NOT_IN_PROCESS"),
            write("tag", .granted(change), "POST", { "Accounts/\($0.account)/actions/add_tags" }) { _ in ["tags": [["name": "Clove"]]] },
            write("untag", .granted(change), "POST", { _ in "Accounts/actions/remove_tags" }) {
                ["tags": [["name": "Spice"]], "ids": [.string($0.account)]]
            },
            write("note", .granted(change), "POST", { "Accounts/\($0.account)/Notes" }) { _ in data(["Note_Content": "x"]) },
            write("note with a parent", .granted(change), "POST", { _ in "Notes" }) {
                data(["Note_Content": "x", "Parent_Id": ["id": .string($0.account), "module": ["api_name": "Accounts"]]])
            },
            write("change of a note of the record", .granted(change), "PUT", { "Accounts/\($0.account)/Notes/\($0.note)" }) { _ in
                data(["Note_Content": "y"])
            },
            write("change of a note", .granted(change), "PUT", { "Notes/\($0.note)" }) { _ in data(["Note_Content": "z"]) },
            write("deletion of a note", .granted(change), "DELETE", { "Notes/\($0.note)" }),
            write("deletion of a note of the record", .granted(change), "DELETE", { "Accounts/\($0.account)/Notes/\($0.note)" }),
            write(
                "attachment", .granted(change), "POST", { "Accounts/\($0.account)/Attachments?attachmentUrl=https://x.example/b&title=b" }),
            write("deletion of an attachment", .granted(change), "DELETE", { "Accounts/\($0.account)/Attachments/\($0.attachment)" }),
            write("mail", .granted(.read), "POST", { "Accounts/\($0.account)/actions/associate_email" }) { _ in
                [
                    "Emails": [
                        [
                            "from": ["email": "a@x.example"], "to": [["email": "b@x.example"]], "subject": "s", "content": "c",
                            "sent": true,
                            "date_time": "2026-01-01T00:00:00Z", "original_message_id": .string("mail of \(user)"),
                        ]
                    ]
                ]
            },
            write("draft", .granted(.read), "POST", { "Accounts/\($0.account)/__email_drafts" }) { _ in
                ["__email_drafts": [["from": .string(me), "rich_text": true]]]
            },
            write("photo away", .granted(change), "DELETE", { "Accounts/\($0.account)/photo" }),
            write("link", .granted(change), "PUT", { "Contacts/\($0.contact)/Campaigns/\($0.campaign)" }) { _ in
                data(["Member_Status": "Active"])
            },
            write("unlink", .granted(change), "DELETE", { "Contacts/\($0.contact)/Campaigns/\($0.campaign)" }),
            write("link from the other side", .granted(.read), "PUT", { "Campaigns/\($0.campaign)/Contacts/\($0.contact)" }) { _ in
                data(["Member_Status": "Planned"])
            },
            write("lookup", .granted(.read), "POST", { _ in "Contacts" }) {
                data(["Last_Name": "N", "Account_Name": reference($0.account)])
            },
            write("activity", .granted(.read), "POST", { _ in "Tasks" }) {
                data(["Subject": "N", "What_Id": reference($0.account), "$se_module": "Accounts"])
            },
            write("clone", .granted(.read), "POST", { "Accounts/\($0.account)/actions/clone" }),
            write("share", .granted(.full), "POST", { "Accounts/\($0.account)/actions/share" }) { _ in everybody },
            write("shares", .granted(.full), "PUT", { "Accounts/\($0.account)/actions/share" }) { _ in everybody },
            write("unshare", .granted(.full), "DELETE", { "Accounts/\($0.account)/actions/share" }),
            write("merge into", .granted(change), "POST", { "Accounts/\($0.account)/actions/merge" }) { _ in
                ["merge": [["data": [reference(other)]]]]
            },
            write("merge away", .granted(.full), "POST", { _ in "Accounts/\(other)/actions/merge" }) {
                ["merge": [["data": [reference($0.account)]]]]
            },
            write("merge a group", .granted(.full), "POST", { _ in "Accounts/actions/merge_group" }) {
                ["merge_group": [["ids": [.string(other), .string($0.account)], "master": .string(other)]]]
            },
            write(
                "composite", .granted(change), "POST", { _ in "__composite_requests" },
                { family in
                    [
                        "__composite_requests": [
                            [
                                "sub_request_id": "1", "method": "PUT", "uri": .string("/crm/v7/Accounts/\(family.account)"),
                                "body": data(["Phone": "6"]),
                            ]
                        ]
                    ]
                }, success: "\"status_code\":200"),
            write("restore", .hierarchy, "POST", { "settings/recycle_bin/actions/restore?ids=\($0.gone)" }),
            write("erase", .hierarchy, "DELETE", { "settings/recycle_bin/\($0.gone)" }),
            write("delete a related record", .granted(.full), "DELETE", { "Deals/\($0.deal)" }),
            write("mass delete", .granted(.full), "POST", { _ in "Deals/actions/mass_delete" }) { ["ids": [.string($0.deal)]] },
            write("delete of a list", .granted(.full), "DELETE", { "Accounts?ids=\($0.account)" }),
            write("delete", .granted(.full), "DELETE", { "Accounts/\($0.account)" }),
        ]
    }
}
