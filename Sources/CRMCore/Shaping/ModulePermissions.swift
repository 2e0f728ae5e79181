import Metadata
import Wire

/// The rights on a module's records, as profiles list them.
package struct ModulePermissions {
    static let operations: [RecordOperation] = [.view, .create, .edit, .delete, .merge]

    let suffix: String
    package init(suffix: String) { self.suffix = suffix }

    private var names: [String] { Self.operations.map { "Crm_Implied_\($0.rawValue)_\(suffix)" } }

    package func grant(to profiles: Set<RecordID>, _ scope: MetadataScope) throws {
        try change(profiles, scope) { held in held + names.filter { !held.contains($0) } }
    }

    func revoke(from profiles: Set<RecordID>, _ scope: MetadataScope) throws {
        try change(profiles, scope) { held in held.filter { !names.contains($0) } }
    }

    private func change(_ profiles: Set<RecordID>, _ scope: MetadataScope, _ body: ([String]) -> [String]) throws {
        for profile in scope.catalog.documents(.profile) where profiles.contains(profile.id) {
            var changed = profile.body
            changed["permissions"] = .array(body((changed["permissions"]?.array ?? []).compactMap(\.string)).map(JSONValue.string))
            try scope.replace(profile.id, body: changed)
        }
    }
}
