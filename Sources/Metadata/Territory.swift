import Wire

/// A territory of the organisation's tree, as the catalog knows it. Contract: territories, U34.
package struct Territory: Sendable {
    /// What people of a territory may do with the records in it and below.
    package enum Permission: String, CaseIterable, Sendable, Comparable {
        case readOnly = "read_only"
        case full = "read_write_delete"

        package static func < (a: Permission, b: Permission) -> Bool { a == .readOnly && b == .full }
    }

    package let id: RecordID
    package let name: String
    /// Empty for the topmost alone.
    package let parent: RecordID?
    package let manager: UserID?
    /// Those associated with it, without the manager, in the order they came.
    package let members: [UserID]
    package let permission: Permission
    package let body: JSONValue

    package init(_ document: Document) {
        let body = document.body
        id = document.id
        name = body["name"]?.string ?? ""
        parent = body["reporting_to"]?["id"]?.looseInt64.map(RecordID.init(raw:))
        let manager = body["manager"]?["id"]?.looseInt64.map(UserID.init(raw:))
        self.manager = manager
        members = (body["users"]?.array ?? []).compactMap { $0.looseInt64.map(UserID.init(raw:)) }.filter { $0 != manager }
        permission = body["permission_type"]?.string.flatMap(Permission.init) ?? .readOnly
        self.body = body
    }

    /// Everyone in it, the manager first.
    package var people: [UserID] { (manager.map { [$0] } ?? []) + members }

    /// The short form in which others name it.
    package var reference: JSONValue { ["name": .string(name), "id": .id(id)] }
}

/// The territories of one catalog: a tree below the organisation's own, and who stands where in it.
package struct TerritoryTree: Sendable {
    /// In the order they were made; the topmost is the first.
    package let all: [Territory]
    private let byID: [RecordID: Int]
    private let children: [RecordID: [RecordID]]
    private let ofUser: [UserID: [RecordID]]
    private let ruled: [String: [Territory]]

    init(_ documents: [Document]) {
        all = documents.map(Territory.init)
        byID = Dictionary(all.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        children = Dictionary(grouping: all.filter { $0.parent != nil }, by: { $0.parent ?? $0.id }).mapValues { $0.map(\.id) }
        ofUser = Dictionary(grouping: all.flatMap { territory in territory.people.map { ($0, territory.id) } }, by: \.0)
            .mapValues { $0.map(\.1) }
        var ruled: [String: [Territory]] = [:]
        for territory in all {
            for member in territory.body.members ?? [] where member.name.hasSuffix("_rule_criteria") && !member.value.isNull {
                ruled[member.name, default: []].append(territory)
            }
        }
        self.ruled = ruled
    }

    /// The territories that have criteria under `key`, such as `lead_rule_criteria`.
    package func ruled(by key: String) -> [Territory] { ruled[key] ?? [] }

    package subscript(_ id: RecordID) -> Territory? { byID[id].map { all[$0] } }

    /// The one that everything hangs on; none before territories are set up.
    package var top: Territory? { all.first { $0.parent == nil } }

    /// The territories directly below one.
    package func children(of id: RecordID) -> [Territory] { (children[id] ?? []).compactMap { self[$0] } }

    /// Everything below a territory, itself not.
    package func below(_ id: RecordID) -> Set<RecordID> {
        var found: Set<RecordID> = []
        var open = children[id] ?? []
        while let next = open.popLast() {
            if found.insert(next).inserted { open += children[next] ?? [] }
        }
        return found
    }

    /// The territories above one, the nearest first.
    package func above(_ id: RecordID) -> [RecordID] {
        var found: [RecordID] = []
        var next = self[id]?.parent
        while let id = next, !found.contains(id) {
            found.append(id)
            next = self[id]?.parent
        }
        return found
    }

    /// Those a user manages or belongs to.
    package func of(_ user: UserID) -> [Territory] { (ofUser[user] ?? []).compactMap { self[$0] } }

    /// The territories whose records a user sees, with what may be done there: one's own and all below. Who manages a territory
    /// has every right in it.
    package func reach(of user: UserID) -> [RecordID: Territory.Permission] {
        var reach: [RecordID: Territory.Permission] = [:]
        for territory in of(user) {
            let permission = territory.manager == user ? Territory.Permission.full : territory.permission
            for id in below(territory.id).union([territory.id]) { reach[id] = max(reach[id] ?? permission, permission) }
        }
        return reach
    }
}
