import Metadata
import SQLStore
import Wire

/// The people a record stands for, towards mails: the record itself where it has addresses, else the contact it belongs to, and for
/// accounts those of its contacts that a mail names.
struct EmailReceivers {
    private struct Person {
        let module: Module
        let record: Record

        var addresses: [MailAddress] {
            module.fields.filter { $0.type.dataType == "email" }.compactMap { record[$0].text.flatMap(MailAddress.init) }
        }
        var wantsNone: Bool { record["Email_Opt_Out"].integer == 1 }
    }

    private let record: Record
    private let people: [Person]
    private let scope: WriteScope

    /// Whom it writes to is the record's, whatever the caller may see of the contact.
    init(_ record: Record, naming receivers: [Mailbox], _ scope: WriteScope) throws {
        self.record = record
        self.scope = scope
        let module = record.module
        if module.fields.contains(where: { $0.type.dataType == "email" && !$0.columns.isEmpty }) {
            people = [Person(module: module, record: record)]
            return
        }
        guard let contacts = scope.catalog.module("Contacts")?.whole else {
            people = []
            return
        }
        let planner = Planner(scope.catalog, .system("mails ask whether their receivers want them", for: scope.access.user))
        var ids: [RecordID] = []
        if let lookup = module.field("Contact_Name"), let target = record.target(of: lookup), target.module == contacts.id {
            ids = [RecordID(raw: target.id)]
        } else if module.apiName == "Accounts" {
            ids = try Self.contacts(of: record.id, contacts, receivers, scope)
        }
        let rows = try planner.rows(ids, of: contacts, for: .view, locked: false, scope.tx)
        people = ids.compactMap { id in rows[id].map { Person(module: contacts, record: $0) } }
    }

    private static func contacts(of account: RecordID, _ contacts: Module, _ receivers: [Mailbox], _ scope: WriteScope) throws -> [RecordID]
    {
        guard let table = contacts.table, let lookup = contacts.field("Account_Name")?.columns.first else { return [] }
        let named = receivers.map { $0.address.folded }
        let tests = ["Email", "Secondary_Email"].compactMap { contacts.field($0)?.columns.first }.flatMap { column in
            named.map { "\(.folded("t.\(column)")) = \(.folded("\(SQLValue.text($0))"))" as SQL }
        }
        guard !tests.isEmpty else { return [] }
        return try scope.tx.rows(
            "SELECT t.id FROM \(table) t WHERE t.\(lookup) = \(account) AND (\(.joined(tests, by: " OR "))) ORDER BY t.id LIMIT 200"
        ) { RecordID(raw: $0.integer(0) ?? 0) }
    }

    /// Refuses when the record itself wants no mails, or has no address to get them at (`emails.md`, 231, errors).
    func requireWilling() throws(Rejection) {
        if record["Email_Opt_Out"].integer == 1 {
            throw Rejection(.noPermission, message: "Email Opt Out is enabled for the record", .id(record.id))
        }
        if record.module.apiName != "Accounts", !people.isEmpty, people.allSatisfy({ $0.addresses.isEmpty }) {
            throw Rejection(.notAllowed, message: "the record has no email address", .id(record.id))
        }
    }

    /// Those who have an address.
    func holders(of address: String) -> [(module: Module, id: RecordID)] {
        people.filter { $0.addresses.contains { $0.folded == address } || $0.record.id == record.id }.map { ($0.module, $0.record.id) }
    }

    /// Folded addresses of those who said that they want no mails.
    var unwilling: Set<String> { Set(people.filter(\.wantsNone).flatMap(\.addresses).map(\.folded)) }
}
