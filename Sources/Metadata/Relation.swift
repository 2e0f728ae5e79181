import Wire

/// How rows of a related list hang on their record. A list may gather several.
package enum Relation: Sendable, Hashable {
    /// Rows of `module` any of whose `fields` hold the record's id.
    case lookups([FieldID], of: ModuleID, State)
    /// Rows of `of` that invite the record.
    case invitations(of: ModuleID)
    /// Rows of `to` joined through a linking module's two lookups.
    case link(ModuleID, mine: FieldID, theirs: FieldID, to: ModuleID)

    /// Which part of the activities a list shows.
    package enum State: Sendable, Hashable { case all, open, closed }
}

/// A related list of a module: what metadata shows, and how to find its rows.
package struct RelatedList: Sendable {
    package let id: RecordID
    package let apiName: String
    /// The module of the listed rows.
    package let listed: ModuleID?
    /// Empty for lists of another kind: mails, grouped views, parts not there yet.
    package let relations: [Relation]
    package let body: JSONValue
}

/// Turns the seed's `via` text into relations. The few forms are those of the metadata file; anything else yields none.
struct RelationReader {
    let owner: Module
    let modules: [String: Module]

    func read(_ via: String, listed: String?) -> [Relation] {
        via.split(separator: "+").compactMap { part in
            let words = part.split(separator: " ").map(String.init)
            if words.count == 2, words[0] == "through" { return through(words[1]) }
            return words.contains("link") ? link(to: listed) : words.first.flatMap { lookups($0, state(String(part))) }
        }
    }

    private func state(_ via: String) -> Relation.State {
        if ["Status != Completed", ">= now", "where scheduled"].contains(where: via.contains) { return .open }
        if ["Status = Completed", "< now", "where completed"].contains(where: via.contains) { return .closed }
        return .all
    }

    private func lookups(_ dotted: String, _ state: Relation.State) -> Relation? {
        let parts = dotted.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let module = modules[String(parts[0])] else { return nil }
        if parts[1] == "Participants" { return module.id == owner.id ? nil : .invitations(of: module.id) }
        let fields = parts[1].split(separator: "/").compactMap { module.field($0) }
            .filter { $0.isRecordLookup && ($0.target == nil || $0.target == owner.id) }
        return fields.isEmpty ? nil : .lookups(fields.map(\.id), of: module.id, state)
    }

    /// `through Link.Field`: the linking module, and its lookup that holds the owner. Written for the links an organisation makes.
    private func through(_ dotted: String) -> Relation? {
        let parts = dotted.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let link = modules[String(parts[0])], let (left, right) = link.linkPair else { return nil }
        let (mine, theirs) = left.apiName == parts[1] ? (left, right) : (right, left)
        return theirs.target.map { .link(link.id, mine: mine.id, theirs: theirs.id, to: $0) }
    }

    private func link(to listed: String?) -> Relation? {
        guard let target = listed.flatMap({ modules[$0] }) else { return nil }
        func serves(_ field: Field, _ side: Module) -> Bool { field.target == side.id || field.linkSides.contains(side.apiName) }
        for module in modules.values.sorted(by: { $0.id < $1.id }) {
            guard let (left, right) = module.linkPair else { continue }
            for (mine, theirs) in [(left, right), (right, left)] where serves(mine, owner) && serves(theirs, target) {
                return .link(module.id, mine: mine.id, theirs: theirs.id, to: target.id)
            }
        }
        return nil
    }
}

extension Field {
    /// The modules an any-module lookup of a linking module serves.
    var linkSides: [String] { (body["link_sides"]?.array ?? []).compactMap(\.string) }
}
