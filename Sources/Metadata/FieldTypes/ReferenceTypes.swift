import SQLStore
import Wire

extension FieldType {
    /// `{id}` or the bare id. Fields that point into any module take the module from beside them; see `RecordDecoder`.
    static let lookup = reference("lookup", cell: .lookup)
    static let consentLookup = reference("consent_lookup", cell: .lookup)
    static let ownerLookup = reference("ownerlookup", cell: .user)
    static let userLookup = reference("userlookup", cell: .user)
    static let layout = reference("layout", cell: .layout)

    /// A lookup into one of several modules: the second column holds the module.
    static let multiModuleLookup = FieldType(
        dataType: "multi_module_lookup", storage: [.integer, .integer], cell: .anyLookup, comparison: .reference
    ) { (input: JSONCursor, _: Field, catalog: Catalog) throws(Rejection) in
        guard let id = referencedID(input) else { throw .wrongType("jsonobject", at: input.path) }
        guard let module = input.value["module"] else { return .reference(id, nil) }
        let named = module["api_name"]?.string ?? module.string
        let found = named.flatMap { catalog.module($0) } ?? module["id"]?.looseInt64.flatMap { catalog.module(id: ModuleID(raw: $0)) }
        guard let found else { throw Rejection(.invalidData, .apiName("module"), .jsonPath(input.path.appending("module"))) }
        return .reference(id, found.id)
    }

    private static func reference(_ dataType: String, cell: CellForm) -> FieldType {
        FieldType(dataType: dataType, storage: [.integer], cell: cell, comparison: .reference) {
            (input: JSONCursor, _: Field, _: Catalog) throws(Rejection) in
            guard let id = referencedID(input) else { throw .wrongType("jsonobject", at: input.path) }
            return .reference(id, nil)
        }
    }

    private static func referencedID(_ input: JSONCursor) -> RecordID? {
        (input.value["id"] ?? input.value).looseInt64.flatMap { $0 > 0 ? RecordID(raw: $0) : nil }
    }
}
