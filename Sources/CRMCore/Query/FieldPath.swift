import Metadata
import Wire

/// A field of a module, or one reached from it through lookups: names resolved, nothing checked about rights.
package struct FieldPath: Sendable {
    /// A lookup that is followed, and the module it leads into.
    package struct Hop: Sendable {
        package let field: Field
        package let module: Module
    }

    package enum Leaf: Sendable {
        case field(Field)
        /// What is known of the user whom the field names.
        case person(Field, PersonAttribute)
        /// The module that a lookup into several points at.
        case moduleName(Field)
    }

    /// One name of a written path; `module` where a lookup into several modules says which.
    package struct Step: Sendable, Equatable {
        package let name: String
        package let module: String?
        package init(_ name: String, module: String? = nil) {
            self.name = name
            self.module = module
        }
    }

    package enum Problem: Error { case unknown, tooDeep, notALookup }

    /// A lookup of a lookup's field, and no further (`query-api.md`, LIMITS).
    private static let maximumHops = 2

    package let hops: [Hop]
    package let leaf: Leaf

    package init(_ field: Field) {
        hops = []
        leaf = .field(field)
    }

    private init(_ hops: [Hop], _ leaf: Leaf) {
        self.hops = hops
        self.leaf = leaf
    }

    /// Follows written names from `module`.
    package init(_ steps: [Step], from module: Module, _ catalog: Catalog) throws(Problem) {
        var hops: [Hop] = []
        var here = module
        for (index, step) in steps.enumerated() {
            guard let field = here.field(step.name) else { throw .unknown }
            let rest = steps[(index + 1)...]
            if rest.isEmpty {
                guard step.module == nil else { throw .notALookup }
                self.init(hops, .field(field))
                return
            }
            if let leaf = try Self.ending(field, step, rest.map(\.name)) {
                self.init(hops, leaf)
                return
            }
            here = try Self.next(field, step, catalog)
            hops.append(Hop(field: field, module: here))
            guard hops.count <= Self.maximumHops else { throw .tooDeep }
        }
        throw .unknown
    }

    /// Paths that end in what is no column of a module's table.
    private static func ending(_ field: Field, _ step: Step, _ rest: [String]) throws(Problem) -> Leaf? {
        if field.type.cell == .user {
            guard let attribute = PersonAttribute(rest) else { throw .unknown }
            return .person(field, attribute)
        }
        guard field.isAnyLookup, step.module == nil else { return nil }
        guard rest == ["module", "api_name"], field.columns.count == 2 else { throw .notALookup }
        return .moduleName(field)
    }

    private static func next(_ field: Field, _ step: Step, _ catalog: Catalog) throws(Problem) -> Module {
        guard field.isRecordLookup, !field.columns.isEmpty else { throw .notALookup }
        let named = step.module.flatMap { catalog.module($0) }
        if step.module != nil, named == nil { throw .unknown }
        guard let target = field.target.flatMap({ catalog.module(id: $0) }) ?? named, target.table != nil else { throw .notALookup }
        if let named, named.id != target.id { throw .unknown }
        return target
    }
}

extension FieldPath {
    /// Equal for paths that mean the same, however they were written.
    package var identity: String {
        let way = hops.map { "\($0.field.id.raw)>\($0.module.id.raw)/" }.joined()
        switch leaf {
        case .field(let field): return way + String(field.id.raw)
        case .person(let field, let attribute): return way + "\(field.id.raw)@\(attribute.name)"
        case .moduleName(let field): return way + "\(field.id.raw)#"
        }
    }

    /// The module that the lookup at the end points into, where there are several.
    package var pointing: FieldPath? {
        guard case .field(let field) = leaf, field.isAnyLookup, field.columns.count == 2 else { return nil }
        return FieldPath(hops, .moduleName(field))
    }

    /// Every field on the way and at its end.
    var fields: [Field] {
        let end: Field =
            switch leaf {
            case .field(let field), .person(let field, _), .moduleName(let field): field
            }
        return hops.map(\.field) + [end]
    }

    /// The field whose type tells how the path's values compare; `nil` for a module's name.
    package var field: Field? {
        switch leaf {
        case .field(let field): field
        case .person, .moduleName: nil
        }
    }
}

/// What can be asked about a user through an owner or user lookup. Read from the catalog: users have no table.
package struct PersonAttribute: Sendable, Hashable {
    package let name: String
    private let kind: Kind

    private enum Kind: Sendable, Hashable {
        case own(String)
        case role(String)
        case profile(String)
    }

    /// Texts of a user's own; the rest of what describes one is not for queries.
    private static let own: Set<String> = [
        "id", "full_name", "first_name", "last_name", "email", "alias", "phone", "mobile", "fax", "website", "street", "city", "state",
        "zip", "country",
        "language", "country_locale", "locale", "time_zone", "status",
    ]
    private static let group: Set<String> = ["id", "name", "description"]

    init?(_ names: [String]) {
        name = names.joined(separator: ".")
        switch names.first {
        case "role": kind = .role(names.count == 1 ? "id" : names[1])
        case "profile": kind = .profile(names.count == 1 ? "id" : names[1])
        case let single?: kind = .own(single)
        case nil: return nil
        }
        switch kind {
        case .own(let key): guard names.count == 1, Self.own.contains(key) else { return nil }
        case .role(let key), .profile(let key): guard names.count <= 2, Self.group.contains(key) else { return nil }
        }
    }

    /// The value for every user who has one.
    func values(_ catalog: Catalog) -> [(Int64, String)] {
        catalog.users.compactMap { user in value(of: user, catalog).map { (user.id.raw, $0) } }
    }

    private func value(of user: User, _ catalog: Catalog) -> String? {
        switch kind {
        case .own("id"): String(user.id.raw)
        case .own(let key): user.body[key]?.string
        case .role(let key): Self.value(key, catalog.documents(.role), user.role)
        case .profile(let key): Self.value(key, catalog.documents(.profile), user.profile)
        }
    }

    private static func value(_ key: String, _ documents: [Document], _ id: RecordID) -> String? {
        key == "id" ? String(id.raw) : documents.first { $0.id == id }?.body[key]?.string
    }
}
