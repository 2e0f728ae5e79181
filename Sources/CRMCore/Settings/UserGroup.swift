import Metadata
import Wire

/// People named together: themselves, by role, by another group. Contract: user-groups, 40 to 48.
package struct UserGroup: Sendable {
    package enum SourceKind: String, CaseIterable, Sendable { case users, roles, groups, territories }

    package struct Source: Sendable {
        package let kind: SourceKind
        package let id: RecordID
        /// With the roles below, or the territories below.
        package let below: Bool
    }

    /// People as a list of sources names them: those of a group, or those an assignment rule gives work to.
    package struct People: Sendable {
        package let sources: [Source]

        /// From the form that is kept.
        package init(_ sources: JSONValue?) {
            self.sources = (sources?.array ?? []).compactMap { body in
                guard let kind = body["type"]?.string.flatMap(SourceKind.init), let id = body["id"]?.looseInt64 else { return nil }
                return Source(kind: kind, id: RecordID(raw: id), below: body["below"]?.bool ?? false)
            }
        }

        /// Everyone named, inactive people too.
        package func members(_ catalog: Catalog) -> Set<UserID> {
            var found: Set<UserID> = []
            var seen: Set<RecordID> = []
            var open = sources
            let tree = RoleTree(catalog)
            while let source = open.popLast() {
                switch source.kind {
                case .users: if catalog.user(UserID(raw: source.id.raw)) != nil { found.insert(UserID(raw: source.id.raw)) }
                case .roles:
                    let roles = source.below ? tree.subordinates(of: source.id).union([source.id]) : [source.id]
                    found.formUnion(catalog.users.filter { roles.contains($0.role) }.map(\.id))
                case .groups:
                    guard seen.insert(source.id).inserted else { continue }
                    open += catalog.documents(.userGroup).filter { $0.id == source.id }.flatMap { UserGroup($0).sources }
                case .territories:
                    let territories = source.below ? catalog.territories.below(source.id).union([source.id]) : [source.id]
                    found.formUnion(territories.flatMap { catalog.territories[$0]?.people ?? [] })
                }
            }
            return found
        }
    }

    package let document: Document
    package let people: People
    package var sources: [Source] { people.sources }

    package init(_ document: Document) {
        self.document = document
        people = People(document.body["sources"])
    }

    /// Everyone in the group, inactive people too.
    package func members(_ catalog: Catalog) -> Set<UserID> { people.members(catalog) }

    package static func all(_ catalog: Catalog) -> [UserGroup] { catalog.documents(.userGroup).map(UserGroup.init) }

    /// The name of what a source points at; nil when it is gone.
    package static func name(_ kind: SourceKind, _ id: RecordID, _ catalog: Catalog) -> String? {
        func named(_ document: Document.Kind) -> String? { catalog.documents(document).first { $0.id == id }?.body["name"]?.string }
        return switch kind {
        case .users: catalog.user(UserID(raw: id.raw))?.fullName
        case .roles: named(.role)
        case .groups: named(.userGroup)
        case .territories: catalog.territories[id]?.name
        }
    }

    /// Reads the sources of a request over those that are there. A group may not contain itself, however far down; what is no group
    /// has no `id` here.
    package static func sources(_ given: JSONCursor, of id: RecordID?, existing: [JSONValue], _ catalog: Catalog) throws(Rejection)
        -> [JSONValue]
    {
        var sources = existing
        for entry in try given.elements() {
            let type = try entry.required("type")
            let names = SourceKind.allCases.map(\.rawValue)
            guard let kind = type.value.string.flatMap(SourceKind.init) else { throw .unsupported(names, at: type.path) }
            let named = try entry.required("source").required("id")
            let target = try named.recordID()
            sources.removeAll { $0["type"] == type.value && $0["id"]?.looseInt64 == target.raw }
            if let delete = entry.optional("_delete"), delete.value != .bool(false) { continue }
            guard name(kind, target, catalog) != nil else { throw .invalid(at: named.path) }
            if let id, kind == .groups, contains(id, in: target, catalog) { throw .invalid(at: named.path) }
            let below = try (entry.optional("subordinates") ?? entry.optional("sub_territories"))?.bool() ?? false
            sources.append(["type": .string(kind.rawValue), "id": .id(target), "below": .bool(below)])
        }
        if sources.isEmpty { throw .tooShort(1, at: given.path) }
        return sources
    }

    private static func contains(_ wanted: RecordID, in start: RecordID, _ catalog: Catalog) -> Bool {
        var seen: Set<RecordID> = []
        var open = [start]
        while let next = open.popLast() {
            if next == wanted { return true }
            guard seen.insert(next).inserted, let group = catalog.documents(.userGroup).first(where: { $0.id == next }) else { continue }
            open += UserGroup(group).sources.filter { $0.kind == .groups }.map(\.id)
        }
        return false
    }
}
