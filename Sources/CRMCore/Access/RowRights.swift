import Metadata
import SQLStore
import Wire

/// Which records a user may touch, as predicates. Worked out once for a user and a version of the catalog; each clause is sets of
/// people and indexed columns, and asks nothing for single rows.
struct RowRights: Sendable {
    private let catalog: Catalog
    private let permissions: Set<String>
    /// Every module is open to the user: nothing is asked of any row.
    private let seesAll: Bool
    /// The user stands above everybody who could own a record.
    private let ownsAll: Bool
    private let sharing: DataSharing
    /// The user, those below in the tree of roles, and peers whose role shares among them.
    private let owners: [Int64]
    /// Whom a share may name so that this user is meant: the user, the role, groups; 0 means everybody.
    private let targets: [Int64]
    private let territories: TerritoryRights

    init(_ user: User, _ catalog: Catalog, permissions: Set<String>, seesAll: Bool) {
        self.catalog = catalog
        self.permissions = permissions
        sharing = DataSharing(catalog)
        let sharing = sharing
        let roles = RoleTree(catalog).visible(from: user.role)
        let owners = catalog.users.filter { $0.id == user.id || roles.contains($0.role) }.map(\.id.raw)
        self.owners = owners.sorted()
        let ownsAll = owners.count == catalog.users.count
        self.ownsAll = ownsAll
        let isOpen =
            (ownsAll || sharing.isPublic)
            && catalog.modules.allSatisfy { RecordOperation.view.permission(on: $0).map(permissions.contains) ?? true }
        self.seesAll = seesAll || isOpen
        // Where nothing is asked, nothing need be known.
        targets = self.seesAll ? [] : Self.targets(user, catalog)
        territories = TerritoryRights(user, catalog)
    }

    private static func targets(_ user: User, _ catalog: Catalog) -> [Int64] {
        let groups = UserGroup.all(catalog).filter { $0.members(catalog).contains(user.id) }.map(\.document.id.raw)
        return ([0, user.id.raw, user.role.raw] + groups).sorted()
    }

    /// The rows of `module` that grant `level`; `nil` when all do.
    func clause(_ module: Module, _ level: AccessLevel, alias: String) -> SQL? { clause(module, level, alias: alias, depth: 0) }

    /// `depth` names the tables of one record inside another's.
    private func clause(_ module: Module, _ level: AccessLevel, alias: String, depth: Int) -> SQL? {
        guard !seesAll else { return nil }
        switch RecordKind(module, catalog) {
        case .free: return nil
        case .owned(let owner):
            guard !ownsAll, !sharing.grants(level, in: module) else { return nil }
            return .joined(parts(module, owner, level, alias), by: " OR ").inBrackets
        // Who sees a record sees its notes, files and lines; who may change it may change them.
        case .part(let parent): return holder(parent, min(level, .write), alias, depth)
        case .link(let sides):
            let both = sides.compactMap { holder($0, .read, alias, depth) }
            return both.isEmpty ? nil : .joined(both, by: " AND ").inBrackets
        }
    }

    private func parts(_ module: Module, _ owner: ColumnName, _ level: AccessLevel, _ alias: String) -> [SQL] {
        let owned: SQL = "\(owner, of: alias)"
        var parts: [SQL] = ["\(.memberIDs(owners.count * 32 > catalog.users.count ? "\(.filterOnly(owned))" : owned, owners))"]
        if RecordShares.supports(module) {
            let shared = Self.shared(level, to: targets)
            parts.append("\("id", of: alias) IN (\(shared) AND s.module_id = \(.literal(module.id.raw)))")
        }
        // What hangs on a record that is shared with all that hangs on it.
        let carriers = module.fields.filter { field in
            field.isRecordLookup && field.target.map { catalog.module(id: $0).map(RecordShares.supports) ?? false } ?? true
        }
        for column in carriers.compactMap(\.columns.first) {
            parts.append("\(column, of: alias) IN (\(Self.shared(level, to: targets)) AND s.with_related = 1)")
        }
        if let territory = territories.clause(module, level, alias: alias) { parts.append(territory) }
        return parts
    }

    private static func shared(_ level: AccessLevel, to targets: [Int64]) -> SQL {
        let enough: SQL =
            switch level {
            case .read: ""
            case .write: " AND s.permission <> 'read_only'"
            case .full: " AND s.permission = 'full_access'"
            }
        return "SELECT s.record_id FROM sys_share s WHERE \(.memberIDs("s.target_id", targets))\(enough)"
    }

    /// The record that a lookup holds must grant `level`.
    private func holder(_ field: Field, _ level: AccessLevel, _ alias: String, _ depth: Int) -> SQL? {
        guard let column = field.columns.first else { return nil }
        let name = "h\(depth)"
        func test(_ module: Module) -> SQL? {
            guard let table = module.table else { return nil }
            guard mayView(module) else { return SQL.isFalse }
            guard let clause = clause(module, level, alias: name, depth: depth + 1) else { return nil }
            return
                "EXISTS (SELECT 1 FROM \(table) \(SQL(stringLiteral: name)) WHERE \("id", of: name) = \(column, of: alias) AND \(clause))"
        }
        if let target = field.target { return catalog.module(id: target).flatMap(test) }
        // A part of a part of a part is none: notes carry files, and files carry nothing.
        guard field.columns.count == 2, depth < 2 else { return nil }
        let branches = catalog.modules.compactMap { module -> SQL? in
            guard RecordKind(module, catalog).carries else { return nil }
            return test(module).map { " WHEN \(.literal(module.id.raw)) THEN \($0)" }
        }
        return branches.isEmpty ? nil : "CASE \(field.columns[1], of: alias)\(.joined(branches, by: "")) ELSE 1 = 1 END"
    }

    private func mayView(_ module: Module) -> Bool {
        RecordOperation.view.permission(on: module).map(permissions.contains) ?? true
    }
}

/// Records that have left their tables.
extension RowRights {
    /// What is gone belongs to whom it belonged to; parts of records, to who wrote them. Rows of no owner are seen by who sees all.
    func graves(_ operation: RecordOperation) -> SQL? {
        guard !seesAll else { return nil }
        let modules = catalog.modules.filter { $0.table != nil }
        let closed = modules.filter { !(operation.permission(on: $0).map(permissions.contains) ?? true) || !mayView($0) }
        let limited = modules.filter { clause($0, operation.level, alias: "g") != nil }
        var parts: [SQL] = []
        if !closed.isEmpty { parts.append("NOT \(.memberIDs("g.module_id", closed.map(\.id.raw)))") }
        if !limited.isEmpty {
            parts.append(
                """
                (NOT \(.memberIDs("g.module_id", limited.map(\.id.raw))) OR \(.memberIDs("g.owner", owners)) \
                OR g.id IN (\(Self.shared(operation.level, to: targets))))
                """)
        }
        return parts.isEmpty ? nil : .joined(parts, by: " AND ").inBrackets
    }
}

/// How the records of a module come by their rights.
private enum RecordKind {
    /// Everybody's who may see the module.
    case free
    case owned(ColumnName)
    /// Part of the record its lookup holds.
    case part(Field)
    /// Joins two records, and is seen by who sees both.
    case link([Field])

    init(_ module: Module, _ catalog: Catalog) {
        if module.table == nil {
            self = .free
        } else if ["Notes", "Attachments"].contains(module.apiName) || module.isSubform || module.generatedType == "field_tracker" {
            let parent = module.field("Parent_Id") ?? module.fields.first { $0.isRecordLookup && !$0.columns.isEmpty }
            self = parent.map { .part($0) } ?? .free
        } else if module.generatedType == "linking" {
            self = .link(module.fields.filter { $0.isRecordLookup && $0.body["link_side"]?.bool == true })
        } else if let owner = module.field("Owner")?.columns.first {
            self = .owned(owner)
        } else {
            self = .free
        }
    }

    /// Whether notes and files may hang on such records.
    var carries: Bool {
        switch self {
        case .owned: true
        case .part: true
        case .free, .link: false
        }
    }
}

extension SQL {
    fileprivate var inBrackets: SQL { "(\(self))" }
}
