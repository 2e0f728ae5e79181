import Metadata
import SQLStore
import Wire

/// What everybody may do with everybody's records, module by module. A module that says nothing is public. v7 has no call
/// for it; the shape is that of v8 (`openapi-v8-2026/data_sharing.json`).
package struct DataSharing: Sendable {
    package enum ShareType: String, Sendable, CaseIterable {
        /// Owners and those above them only.
        case isPrivate = "private"
        case publicReadOnly = "public_read_only"
        case publicReadWrite = "public_read_write"
        /// Deleting included.
        case isPublic = "public"

        fileprivate var level: AccessLevel? {
            switch self {
            case .isPrivate: nil
            case .publicReadOnly: .read
            case .publicReadWrite: .write
            case .isPublic: .full
            }
        }
    }

    private let types: [ModuleID: ShareType]

    package init(_ catalog: Catalog) {
        let settings = catalog.documents(.dataSharing).compactMap { document -> (ModuleID, ShareType)? in
            guard let module = document.parent, let type = document.body["share_type"]?.string.flatMap(ShareType.init) else { return nil }
            return (ModuleID(raw: module.raw), type)
        }
        types = Dictionary(settings, uniquingKeysWith: { first, _ in first })
    }

    package func type(of module: Module) -> ShareType { types[module.id] ?? .isPublic }

    /// Whether no module says anything else.
    var isPublic: Bool { types.values.allSatisfy { $0 == .isPublic } }

    /// Whether every record of the module grants so much to everybody.
    func grants(_ level: AccessLevel, in module: Module) -> Bool { type(of: module).level.map { level <= $0 } ?? false }

    /// The modules that can be told who sees their records: those whose records have owners of their own.
    package static func modules(_ catalog: Catalog) -> [Module] {
        catalog.modules.filter { module in
            module.table != nil && module.field("Owner") != nil && !["Notes", "Attachments", "Activities"].contains(module.apiName)
                && ["default", "custom"].contains(module.generatedType)
        }
    }
}

extension Services {
    /// Says who sees the records of modules; all or nothing.
    package func share(_ types: [(ModuleID, DataSharing.ShareType)], by user: UserID) async throws {
        try await changeMetadata(by: user) { scope in
            for (module, type) in types {
                let body: JSONValue = ["share_type": .string(type.rawValue)]
                if let known = scope.catalog.documents(.dataSharing).first(where: { $0.parent?.raw == module.raw }) {
                    try scope.replace(known.id, body: body)
                } else {
                    let document = Document(id: scope.ids.next(), kind: .dataSharing, parent: RecordID(raw: module.raw), body: body)
                    try scope.add([document])
                }
            }
        }
    }
}
