import Metadata
import Wire

/// Makes and changes the modules of an organisation. Contract: modules, U3 and U4.
package struct ModuleShaper {
    /// The contract leaves the count to the edition; ours is that of the largest.
    package static let limit = 500
    private static let labelLimit = 25

    private let scope: MetadataScope
    private var catalog: Catalog { scope.catalog }

    package init(_ scope: MetadataScope) { self.scope = scope }

    package func create(_ item: JSONCursor) throws -> RecordID {
        let plural = try label("plural_label", item, except: nil)
        let singular = try label("singular_label", item, except: nil)
        guard let profilesGiven = item.optional("profiles") else { throw Rejection.missing("profiles", at: item.path) }
        let profiles = try ProfileReferences(catalog: catalog).read(profilesGiven).map(\.profile)
        let apiName = try apiName(item, plural)
        let display = try DisplayField(item.optional("display_field"), singular: singular)
        let made = catalog.modules.filter { $0.generatedType == "custom" }
        guard made.count < Self.limit else { throw Rejection(.limitExceeded, .other("limit", .integer(Self.limit))) }
        let plan = NewModule(
            apiName: apiName, plural: plural, singular: singular, number: nextNumber(made), profiles: profiles, display: display)
        return try plan.write(scope)
    }

    package func update(_ module: Module, _ item: JSONCursor) throws -> RecordID {
        if let given = item.optional("api_name") { throw Rejection.notAllowed(at: given.path) }
        guard module.generatedType == "custom" else { throw Rejection(.notAllowed, .resourcePathIndex(0)) }
        let plural = try label("plural_label", item, except: module)
        let singular = try label("singular_label", item, except: module)
        guard let profilesGiven = item.optional("profiles") else { throw Rejection.missing("profiles", at: item.path) }
        let named = try ProfileReferences(catalog: catalog).read(profilesGiven)
        let gone = Set(named.filter { $0.item.value["_delete"] != nil }.map(\.profile.id))
        let kept = Set(named.map(\.profile.id)).subtracting(gone)
        let before = Set((module.body["profiles"]?.array ?? []).compactMap { $0["id"]?.looseInt64.map(RecordID.init(raw:)) })
        let after = before.subtracting(gone).union(kept)
        if after.isEmpty { throw ProfileReferences(catalog: catalog).tooFew(profilesGiven) }
        let permissions = ModulePermissions(suffix: module.permissionName ?? module.apiName)
        try permissions.grant(to: after.subtracting(before), scope)
        try permissions.revoke(from: before.subtracting(after), scope)
        var body = module.body
        for (key, text) in [
            ("plural_label", plural), ("actual_plural_label", plural), ("singular_label", singular), ("actual_singular_label", singular),
        ] {
            body[key] = .string(text)
        }
        body["profiles"] = .array(catalog.documents(.profile).filter { after.contains($0.id) }.map(ProfileReferences.short))
        body["profile_count"] = .integer(after.count)
        body["modified_by"] = scope.actor
        body["modified_time"] = scope.time
        let id = RecordID(raw: module.id.raw)
        try scope.replace(id, body: body)
        return id
    }

    private func label(_ key: String, _ item: JSONCursor, except own: Module?) throws(Rejection) -> String {
        let given = try item.required(key)
        let text = try given.string(max: Self.labelLimit, min: 1)
        let folded = text.lowercased()
        guard MadeName.isPlainLabel(text), !ReservedWords.labels.contains(folded) else { throw .invalid(at: given.path) }
        let taken = catalog.modules.contains { module in
            module.id != own?.id && module.body["listed"]?.bool != false
                && [module.body["plural_label"], module.body["singular_label"]].contains { $0?.string?.lowercased() == folded }
        }
        if taken { throw .duplicate(at: given.path) }
        return text
    }

    private func apiName(_ item: JSONCursor, _ plural: String) throws(Rejection) -> String {
        func isTaken(_ name: String) -> Bool { catalog.module(name) != nil }
        func isReserved(_ name: String) -> Bool { ReservedWords.modules.contains(name.lowercased()) }
        guard let given = item.optional("api_name"), !given.value.isNull else {
            return MadeName.derived(from: plural) { isTaken($0) || isReserved($0) }
        }
        let name = try given.string(max: 50, min: 1)
        if isReserved(name) {
            throw Rejection(.reservedKeywordNotAllowed, status: 403, .apiName("api_name"), .jsonPath(given.path))
        }
        guard MadeName.isValid(name) else { throw .invalid(at: given.path) }
        if isTaken(name) { throw .duplicate(at: given.path) }
        return name
    }

    /// Internal names count up: CustomModule1, CustomModule2.
    private func nextNumber(_ made: [Module]) -> Int {
        (made.compactMap { $0.body["module_name"]?.string.flatMap { Int($0.dropFirst("CustomModule".count)) } }.max() ?? 0) + 1
    }
}
