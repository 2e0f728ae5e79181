import Metadata
import Wire

/// Switches, changes and deletes layouts. Contract: layouts, U11 to U14.
package struct LayoutShaper {
    static let actionLimit = 5
    let scope: MetadataScope
    let module: Module
    let layout: Document

    /// Refuses a layout the module does not have.
    package init(_ scope: MetadataScope, layout id: RecordID, of module: ModuleID) throws(Rejection) {
        guard let module = scope.catalog.module(id: module) else { throw Rejection(.invalidModule, .parameter("module")) }
        guard let layout = scope.catalog.documents(.layout).first(where: { $0.id == id && $0.parent?.raw == module.id.raw }) else {
            throw Rejection(.invalidData, message: "the id given seems to be invalid", .resourcePathIndex(0))
        }
        self.scope = scope
        self.module = module
        self.layout = layout
    }

    private static func isActive(_ layout: Document) -> Bool { layout.body["status"]?.string ?? "active" == "active" }

    package func activate(_ item: JSONCursor) throws {
        guard !Self.isActive(layout) else { throw Rejection(.alreadyActivated) }
        guard let given = item.optional("profiles"), !given.value.isNull, given.value != .array([]) else {
            throw Rejection.missing("profiles", at: item.path)
        }
        let allowed = Set(
            (module.body["profiles"]?.array ?? scope.catalog.defaults(of: "module")["profiles"]?.array ?? []).compactMap {
                $0["id"]?.looseInt64
            })
        var names: [JSONValue] = []
        for (profile, entry) in try ProfileReferences(catalog: scope.catalog).read(given) {
            guard allowed.contains(profile.id.raw) else { throw Rejection.notAllowed(at: entry.path.appending("id")) }
            names.append(profile.body["name"] ?? .null)
        }
        try write { body in
            body["status"] = "active"
            body["visible"] = true
            body["profiles"] = .array(names)
        }
    }

    package func deactivate(to heir: RecordID) throws {
        guard layout.body["generated_type"]?.string != "system" else { throw Rejection(.notAllowed, .resourcePathIndex(0)) }
        guard Self.isActive(layout) else { throw Rejection(.alreadyDeactivated) }
        try BlueprintUse.refuse(layout: layout.id, of: module.id, scope.catalog)
        try transfer(to: heir)
        try write { body in
            body["status"] = "inactive"
            body["visible"] = false
        }
    }

    package func delete(to heir: RecordID) throws {
        guard layout.body["generated_type"]?.string != "system" else { throw Rejection(.notAllowed, .resourcePathIndex(0)) }
        try BlueprintUse.refuse(layout: layout.id, of: module.id, scope.catalog)
        try transfer(to: heir)
        try scope.remove(scope.catalog.documents(.mapDependency).filter { $0.parent == layout.id }.map(\.id) + [layout.id])
    }

    private func transfer(to id: RecordID) throws {
        let heir = scope.catalog.documents(.layout).first { $0.id == id && $0.parent == layout.parent && $0.id != layout.id }
        guard let heir else { throw Rejection.invalidParameter("transfer_to") }
        guard Self.isActive(heir) else { throw Rejection(.notAllowed, .parameter("transfer_to")) }
        try LayoutTransferJob.enqueue(from: layout.id, to: heir.id, of: module, scope)
    }

    func write(_ change: (inout JSONValue) -> Void) throws {
        var body = layout.body
        change(&body)
        body["modified_by"] = scope.actor
        body["modified_time"] = scope.time
        try scope.replace(layout.id, body: body)
    }

}
