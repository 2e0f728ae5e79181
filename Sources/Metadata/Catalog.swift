import SQLStore
import Wire

/// Everything settings say, frozen at one version. A request holds one from start to end.
package final class Catalog: Sendable {
    package let version: Int64
    package let modules: [Module]
    package let users: [User]
    package let territories: TerritoryTree
    package let organization: JSONValue
    package let zone: TimeZoneRule
    /// Every roll-up summary field.
    package let rollups: [Rollup]
    /// What opens encrypted fields; `nil` where no key is given.
    package let vault: FieldVault?
    /// The names of keys that its encrypted fields need and the process does not have.
    package let missingKeys: Set<String>
    /// Statements that follow from this catalog alone, kept as long as it is.
    package let statements = SQLTemplates()
    /// What else was worked out from it, by whom this part does not know.
    package let derived = DerivedValues()
    private let byName: [String: Module]
    private let byID: [ModuleID: Module]
    private let usersByID: [UserID: User]
    private let documentsByKind: [Document.Kind: [Document]]
    private let lookupsInto: [ModuleID: [(Module, Field)]]
    private let lookupsAnywhere: [(Module, Field)]
    private let lists: [ModuleID: [RelatedList]]
    private let narrowedFrom: Catalog?

    init(version: Int64, documents: [Document], vault: FieldVault? = nil) {
        self.vault = vault
        let kinds = Dictionary(grouping: documents, by: \.kind)
        let defaults = { (kind: String) in kinds[.defaults]?.first { $0.apiName == kind }?.body ?? [:] }
        let moduleIDs = Dictionary(
            (kinds[.module] ?? []).map { ($0.apiName ?? "", ModuleID(raw: $0.id.raw)) }, uniquingKeysWith: { first, _ in first })
        let fieldDefaults = defaults("field")
        let moduleDefaults = defaults("module")
        let fields = Dictionary(grouping: kinds[.field] ?? [], by: { $0.parent?.raw ?? 0 })
        let modules = (kinds[.module] ?? []).map { document in
            let own = fields[document.id.raw] ?? []
            return Module(
                document, moduleDefaults, fields: own.map { Field($0, fieldDefaults, modules: moduleIDs, vault: vault) },
                fieldsModifiedAt: own.compactMap(\.modifiedAt).max())
        }
        let byName = Dictionary(modules.map { ($0.apiName, $0) }, uniquingKeysWith: { first, _ in first })
        self.version = version
        missingKeys = Set(modules.flatMap { $0.fields.flatMap { $0.cipher?.keys ?? [] } }).subtracting(vault?.keys ?? [])
        self.modules = modules
        self.byName = Dictionary(modules.map { ($0.apiName.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
        let byNumber = Dictionary(modules.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        byID = byNumber
        users = (kinds[.user] ?? []).map(User.init)
        territories = TerritoryTree(kinds[.territory] ?? [])
        usersByID = Dictionary(users.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        organization = kinds[.org]?.first?.body ?? [:]
        zone = organization["time_zone"]?.string.flatMap(TimeZoneRule.init(identifier:)) ?? .utc
        documentsByKind = kinds

        var into: [ModuleID: [(Module, Field)]] = [:]
        var anywhere: [(Module, Field)] = []
        for module in modules where module.table != nil {
            for field in module.fields where field.isRecordLookup && !field.columns.isEmpty {
                if let target = field.target { into[target, default: []].append((module, field)) } else { anywhere.append((module, field)) }
            }
        }
        lookupsInto = into
        lookupsAnywhere = anywhere

        let listDefaults = defaults("related_list")
        let listDocuments = Dictionary(grouping: kinds[.relatedList] ?? [], by: { $0.parent?.raw ?? 0 })
        let lists = Dictionary(
            uniqueKeysWithValues: modules.map { module in
                let reader = RelationReader(owner: module, modules: byName)
                let lists = (listDocuments[module.id.raw] ?? []).map { document in
                    let body = document.body
                    let via = body["via"]?.string ?? ""
                    let listed = (body["module"] ?? listDefaults["module"])?["api_name"]?.string
                    return RelatedList(
                        id: document.id, apiName: document.apiName ?? "", listed: listed.flatMap { byName[$0]?.id },
                        relations: reader.read(via, listed: listed), body: body)
                }
                return (module.id, lists)
            })
        self.lists = lists
        rollups = modules.flatMap { module in
            module.fields.compactMap { Rollup($0, of: module, lists[module.id] ?? [], modules: byNumber) }
        }
        narrowedFrom = nil
    }

    /// The catalog as somebody sees it from whom fields are hidden.
    private init(_ whole: Catalog, hiding hidden: Set<FieldID>) {
        let modules = whole.modules.map { module in
            module.fields.contains { hidden.contains($0.id) } ? Module(module, hiding: hidden) : module
        }
        version = whole.version
        vault = whole.vault
        missingKeys = whole.missingKeys
        self.modules = modules
        byName = Dictionary(modules.map { ($0.apiName.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
        byID = Dictionary(modules.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        users = whole.users
        territories = whole.territories
        usersByID = whole.usersByID
        organization = whole.organization
        zone = whole.zone
        documentsByKind = whole.documentsByKind
        lookupsInto = whole.lookupsInto
        lookupsAnywhere = whole.lookupsAnywhere
        lists = whole.lists
        rollups = whole.rollups
        narrowedFrom = whole
    }

    /// The catalog without the fields that `hidden` names; itself when there are none. Who points at whom stays whole.
    package func hiding(_ hidden: Set<FieldID>) -> Catalog { hidden.isEmpty ? whole : Catalog(whole, hiding: hidden) }

    /// The catalog with every field: what is written is written by it, whoever writes.
    package var whole: Catalog { narrowedFrom ?? self }

    private static let aliases = ["potentials": "deals", "purchased_items": "purchase_items"]

    /// A module by API name in any letter case; `Potentials` is Deals, `Purchased_Items` is Purchase_Items.
    package func module(_ apiName: some StringProtocol) -> Module? {
        let name = apiName.lowercased()
        return byName[Self.aliases[name] ?? name]
    }
    package func module(id: ModuleID) -> Module? { byID[id] }
    package func user(_ id: UserID) -> User? { usersByID[id] }
    package func documents(_ kind: Document.Kind) -> [Document] { documentsByKind[kind] ?? [] }
    /// All of every kind, for what has to look at everything.
    package var everyDocument: [Document] { documentsByKind.values.flatMap(\.self) }
    package func defaults(of kind: String) -> JSONValue { documents(.defaults).first { $0.apiName == kind }?.body ?? [:] }

    /// Every lookup that may point at `module`, wherever it is defined. Merge and delete read this.
    package func inbound(to module: ModuleID) -> [(module: Module, field: Field)] {
        ((lookupsInto[module] ?? []) + lookupsAnywhere).map { ($0.0, $0.1) }
    }

    package func relatedLists(of module: ModuleID) -> [RelatedList] { lists[module] ?? [] }
    package func relatedList(_ apiName: some StringProtocol, of module: ModuleID) -> RelatedList? {
        let name = apiName.lowercased()
        return relatedLists(of: module).first { $0.apiName.lowercased() == name }
    }
}
