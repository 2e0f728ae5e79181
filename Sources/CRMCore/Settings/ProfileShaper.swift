import Metadata
import Wire

/// Copies, changes and deletes profiles. Contract: profiles, U17 to U19.
package struct ProfileShaper {
    package static let limit = 25
    private let scope: MetadataScope
    private var profiles: [Document] { scope.catalog.documents(.profile) }

    package init(_ scope: MetadataScope) { self.scope = scope }

    package func clone(_ id: RecordID, _ item: JSONCursor) throws -> RecordID {
        guard let model = profiles.first(where: { $0.id == id }) else { throw Rejection(.invalidData, .resourcePathIndex(0)) }
        let name = try name(item, required: true, except: nil) ?? ""
        let description = try item.optional("description").flatMap { given throws(Rejection) in
            given.value.isNull ? nil : try given.string(max: 250)
        }
        guard profiles.count < Self.limit else { throw Rejection(.profileLimitExceeded) }
        var body = model.body
        let settings: [(String, JSONValue)] = [
            ("name", .string(name)), ("display_label", .string(name)), ("api_name", .string(MadeName.derived(from: name))),
            ("custom", true), ("_default", false),
            ("description", description.map(JSONValue.string) ?? .null), ("created_by", scope.actor), ("created_time", scope.time),
            ("modified_by", scope.actor),
            ("modified_time", scope.time),
        ]
        for (key, value) in settings { body[key] = value }
        let made = try scope.add(.profile, name, body)
        // Whatever names the model by id names the copy too: modules it sees, and fields it sees less of.
        try eachList { entries in
            guard var copy = entries.first(where: { $0["id"]?.looseInt64 == id.raw }) else { return }
            copy["id"] = .id(made)
            if copy["name"] != nil { copy["name"] = .string(name) }
            entries.append(copy)
        }
        return made
    }

    package func update(_ id: RecordID, _ item: JSONCursor) throws -> RecordID {
        guard let profile = profiles.first(where: { $0.id == id }) else { throw Rejection(.invalidData, .resourcePathIndex(0)) }
        let given = try item.required("permissions_details")
        var body = profile.body
        let all = PermissionList.all(scope.catalog)
        var held = Set((body["permissions"]?.array ?? []).compactMap(\.string))
        for entry in try given.elements() {
            let named = try entry.required("id")
            let wanted = try named.recordID()
            let enabled = try entry.required("enabled").bool()
            guard let right = all.first(where: { $0.id == wanted }) else { throw Rejection.invalid(at: named.path) }
            // The first administrator's profile keeps everything, or nobody could give a right back.
            guard id != profiles.first?.id, right.customizable || held.contains(right.name) == enabled else {
                throw Rejection.notAllowed(at: entry.path)
            }
            if enabled { held.formUnion([right.name] + right.parents) } else { held = Self.without(right.name, held, all) }
        }
        body["permissions"] = .array(all.map(\.name).filter(held.contains).map(JSONValue.string))
        if let name = try name(item, required: false, except: profile) { try rename(profile, &body, name) }
        if let description = item.optional("description") {
            body["description"] = description.value.isNull ? .null : .string(try description.string(max: 250))
        }
        body["modified_by"] = scope.actor
        body["modified_time"] = scope.time
        try scope.replace(id, body: body)
        return id
    }

    /// A right goes with all that need it.
    private static func without(_ name: String, _ held: Set<String>, _ all: [PermissionList.Permission]) -> Set<String> {
        var left = held
        var going: Set<String> = [name]
        while !going.isEmpty {
            left.subtract(going)
            going = Set(all.filter { left.contains($0.name) && !going.isDisjoint(with: $0.parents) }.map(\.name))
        }
        return left
    }

    package func delete(_ id: RecordID, heir: RecordID) throws {
        guard let profile = profiles.first(where: { $0.id == id }) else { throw Rejection(.invalidData, .resourcePathIndex(0)) }
        guard let heir = profiles.first(where: { $0.id == heir && $0.id != id }) else {
            throw Rejection(.invalidData, .parameter("transfer_to"))
        }
        guard profile.body["custom"]?.bool == true else { throw Rejection(.notAllowed, .resourcePathIndex(0)) }
        try move(usersOf: id, to: heir.id, heir.body["name"] ?? .null)
        try eachList { entries in entries.removeAll { $0["id"]?.looseInt64 == id.raw } }
        try BlueprintUse.follow(leaving: "profiles", id, heir: heir.id, scope)
        try scope.remove([id])
    }

    private func rename(_ profile: Document, _ body: inout JSONValue, _ name: String) throws {
        body["name"] = .string(name)
        body["display_label"] = .string(name)
        try move(usersOf: profile.id, to: profile.id, .string(name))
        try eachList { entries in
            for index in entries.indices where entries[index]["id"]?.looseInt64 == profile.id.raw && entries[index]["name"] != nil {
                entries[index]["name"] = .string(name)
            }
        }
        try scope.rename(profile.id, name)
    }

    private func move(usersOf id: RecordID, to heir: RecordID, _ name: JSONValue) throws {
        for user in scope.catalog.documents(.user) where user.body["profile"]?["id"]?.looseInt64 == id.raw {
            var body = user.body
            body["profile"] = ["name": name, "id": .id(heir)]
            try scope.replace(user.id, body: body)
        }
    }

    /// The lists of profiles in modules and fields.
    private func eachList(_ change: (inout [JSONValue]) -> Void) throws {
        for document in scope.catalog.documents(.module) + scope.catalog.documents(.field) {
            guard var entries = document.body["profiles"]?.array else { continue }
            let before = entries
            change(&entries)
            guard entries != before else { continue }
            var body = document.body
            body["profiles"] = .array(entries)
            if body["profile_count"] != nil { body["profile_count"] = .integer(entries.count) }
            try scope.replace(document.id, body: body)
        }
    }

    private func name(_ item: JSONCursor, required: Bool, except own: Document?) throws(Rejection) -> String? {
        guard required || item.value["name"] != nil else { return nil }
        let given = try item.required("name")
        let text = try given.string(max: 50, min: 1)
        if profiles.contains(where: { $0.id != own?.id && $0.body["name"]?.string?.lowercased() == text.lowercased() }) {
            // The page gives 404 to this code here, as to the limit.
            throw Rejection(.duplicateData, status: 404, .apiName("name"), .jsonPath(given.path))
        }
        return text
    }
}
