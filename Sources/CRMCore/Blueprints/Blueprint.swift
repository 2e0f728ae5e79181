import Metadata
import SQLStore
import Wire

extension Document.Kind {
    package static let blueprint: Document.Kind = "blueprint"
}

/// A process that records of one layout go through: states are options of a picklist, transitions lead from one to another.
package struct Blueprint: Sendable {
    /// What stands in the field of a record that has no value there.
    package static let none = PicklistValues.none

    package let id: RecordID
    package let name: String
    package let module: ModuleID
    package let layout: RecordID
    package let field: FieldID
    package let isActive: Bool
    package let isContinuous: Bool
    /// Which records of the layout enter.
    package let criteria: JSONValue
    package let transitions: [Transition]

    private static let standardModules: Set<String> = [
        "Leads", "Accounts", "Contacts", "Deals", "Campaigns", "Tasks", "Cases", "Events", "Calls", "Solutions", "Products", "Vendors",
        "Price_Books", "Quotes", "Sales_Orders", "Purchase_Orders", "Invoices", "Notes",
    ]

    /// The modules of the blueprint pages (233, 234), besides every custom one.
    package static func supports(_ module: Module) -> Bool {
        module.table != nil && (standardModules.contains(module.apiName) || module.generatedType == "custom")
    }

    init(_ document: Document) { self.init(document.id, document.body) }

    init(_ id: RecordID, _ body: JSONValue) {
        self.id = id
        name = body["name"]?.string ?? ""
        module = ModuleID(raw: body["module"]?["id"]?.looseInt64 ?? 0)
        layout = RecordID(raw: body["layout"]?["id"]?.looseInt64 ?? 0)
        field = FieldID(raw: body["field"]?["id"]?.looseInt64 ?? 0)
        isActive = body["active"]?.bool ?? false
        isContinuous = body["continuous"]?.bool ?? false
        criteria = body["criteria"] ?? .null
        transitions = (body["transitions"]?.array ?? []).map(Transition.init)
    }

    /// Those of a module, the eldest first; a record enters the first that it fits.
    package static func all(of module: ModuleID, _ catalog: Catalog) -> [Blueprint] {
        catalog.documents(.blueprint).filter { $0.body["module"]?["id"]?.looseInt64 == module.raw }.map(Blueprint.init)
    }

    /// What leads out of a state.
    package func transitions(from state: String) -> [Transition] { transitions.filter { $0.from.contains(state) } }

    /// Whether something leads on from where a record is; a record that nothing leads on from is out of the process.
    func leadsOn(_ record: Record, _ field: Field) -> Bool { !transitions(from: Self.state(of: record, field)).isEmpty }

    /// The states that something leads out of: where a record can enter.
    var openStates: Set<String> { Set(transitions.flatMap(\.from)) }
    var states: Set<String> { openStates.union(transitions.map(\.to)) }

    /// The state that a record is in.
    static func state(of record: Record, _ field: Field) -> String { record[field].text ?? none }
}

/// One way from a state of a blueprint to another, with what it asks for and what follows it.
package struct Transition: Sendable {
    package enum Kind: String, Sendable, CaseIterable { case manual, automatic }

    /// Who may take it.
    package enum Person: Sendable, Equatable {
        case recordOwner
        case user(Int64)
        case role(Int64)
        case profile(Int64)
    }

    package struct FieldInput: Sendable {
        package let field: FieldID
        package let isMandatory: Bool
        /// What the record must satisfy once the value is there.
        package let criteria: JSONValue
        package let message: String?
    }

    package struct CheckList: Sendable {
        package let title: String
        package let items: [String]
        package let isMandatory: Bool
    }

    /// What is done when it is taken.
    package enum Action: Sendable {
        case update(FieldID, JSONValue)
        case task(JSONValue)
    }

    package let id: RecordID
    package let name: String
    package let kind: Kind
    package let from: [String]
    package let to: String
    package let criteria: JSONValue
    package let criteriaMessage: String?
    package let color: String?
    /// Nobody named is everybody.
    package let people: [Person]
    /// After what time in the state an automatic one happens.
    package let delay: Delay?
    package let fields: [FieldInput]
    /// Whether it takes a note, and whether it must have one.
    package let note: Bool?
    package let attachments: Bool?
    package let checkLists: [CheckList]
    package let actions: [Action]

    init(_ json: JSONValue) {
        func flag(_ key: String) -> Bool? { json[key]?["mandatory"]?.bool }
        id = RecordID(raw: json["id"]?.looseInt64 ?? 0)
        name = json["name"]?.string ?? ""
        kind = Kind(rawValue: json["type"]?.string ?? "") ?? .manual
        from = (json["from"]?.array ?? []).compactMap(\.string)
        to = json["to"]?.string ?? ""
        criteria = json["criteria"] ?? .null
        criteriaMessage = json["criteria_message"]?.string
        color = json["color_code"]?.string
        people = (json["owners"]?.array ?? []).compactMap { Person($0) }
        delay = json["execute_after"].flatMap(Delay.init)
        fields = (json["fields"]?.array ?? []).map { input in
            FieldInput(
                field: FieldID(raw: input["id"]?.looseInt64 ?? 0), isMandatory: input["mandatory"]?.bool ?? false,
                criteria: input["criteria"] ?? .null, message: input["message"]?.string)
        }
        note = flag("notes")
        attachments = flag("attachments")
        checkLists = (json["checklists"]?.array ?? []).map { list in
            CheckList(
                title: list["title"]?.string ?? "", items: (list["items"]?.array ?? []).compactMap(\.string),
                isMandatory: list["mandatory"]?.bool ?? false)
        }
        actions = (json["actions"]?.array ?? []).compactMap { action in
            if action["type"] == "task" { return .task(action["task"] ?? [:]) }
            return action["field"]?["id"]?.looseInt64.map { .update(FieldID(raw: $0), action["value"] ?? .null) }
        }
    }

    /// Whether a user may take it on a record.
    func mayBeTaken(by user: UserID, on record: Record, _ catalog: Catalog) -> Bool {
        guard !people.isEmpty, !catalog.isAdministrator(user), let known = catalog.user(user) else { return true }
        return people.contains { person in
            switch person {
            case .recordOwner: record["Owner"].integer == user.raw
            case .user(let id): id == user.raw
            case .role(let id): id == known.role.raw
            case .profile(let id): id == known.profile.raw
            }
        }
    }

    /// The API names of every field that it reads or writes, by id or in criteria.
    func names(_ field: Field) -> Bool {
        if fields.contains(where: { $0.field == field.id || KeptCriteria.fields(in: $0.criteria).contains(field.apiName) }) { return true }
        if KeptCriteria.fields(in: criteria).contains(field.apiName) { return true }
        return actions.contains { action in
            if case .update(let id, _) = action { id == field.id } else { false }
        }
    }
}

extension Transition.Person {
    init?(_ json: JSONValue) {
        let id = json["id"]?.looseInt64 ?? 0
        switch json["type"]?.string {
        case "record_owner": self = .recordOwner
        case "users": self = .user(id)
        case "roles": self = .role(id)
        case "profiles": self = .profile(id)
        default: return nil
        }
    }
}
