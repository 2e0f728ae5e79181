import Foundation
import SQLStore
import Wire

/// The standard organisation as documents: modules, fields, related lists and the settings a new org starts with.
package struct StandardSeed {
    package let documents: [Document]
    package let administrator: UserID
    private let seed: JSONValue

    package enum Failure: Error {
        case missingResource(String)
        case malformed(String)
    }

    /// Ids of seed items start here: 18 digits like every id, and below any that is made later.
    private static let firstID: Int64 = 100_000_000_000_000_000

    package init(administratorName: String, email: String, organization: String) throws {
        seed = try Self.resource()
        var made = Made(next: Self.firstID)
        let profiles = try Self.profiles(seed, &made)
        let roles = Self.roles(seed, &made)
        for kind in ["field", "module", "related_list"] {
            made.add(.defaults, kind, Self.withProfileIDs(seed["\(kind)_defaults"] ?? [:], profiles))
        }
        Self.modules(seed, profiles, &made)
        Self.settings(seed, &made)
        administrator = UserID(raw: made.next)
        made.add(.user, nil, Self.user(administratorName, email, seed, profile: profiles[0], role: roles[0]))
        var org = seed["org"]?["org"] ?? [:]
        // The number in the organisation's domain, which is another than its id.
        let group = String(made.next)
        made.next += 1
        for (name, value) in [("company_name", organization), ("zgid", group), ("primary_email", email)] { org[name] = .string(value) }
        made.add(.org, nil, org)
        documents = made.documents
    }

    /// The seed file. It also holds the templates of what is made later; see `ModuleTemplate`.
    static func resource() throws -> JSONValue {
        guard let url = Bundle.module.url(forResource: "standard", withExtension: "json", subdirectory: "Resources") else {
            throw Failure.missingResource("standard.json")
        }
        return try JSONValue.parse([UInt8](Data(contentsOf: url)))
    }

    /// Collects documents, giving each the next id.
    private struct Made {
        var next: Int64
        var documents: [Document] = []
        @discardableResult
        mutating func add(_ kind: Document.Kind, _ apiName: String?, _ body: JSONValue, parent: RecordID? = nil) -> RecordID {
            let id = RecordID(raw: next)
            next += 1
            documents.append(Document(id: id, kind: kind, parent: parent, apiName: apiName, body: body))
            return id
        }
    }

    private struct Named { let id: RecordID, name: String }

    private static func profiles(_ seed: JSONValue, _ made: inout Made) throws -> [Named] {
        let listed = seed["org"]?["profiles"]?["list"]?.array ?? []
        guard !listed.isEmpty else { throw Failure.malformed("org.profiles.list") }
        let rights = seed["org"]?["profiles"]?["permissions_details"]?.array ?? []
        return listed.map { profile in
            var body = profile
            let name = body["name"]?.string ?? ""
            let enabled = rights.compactMap { right in (right["enabled"]?[name]?.bool ?? false) ? right["name"] : nil }
            body["permissions"] = .array(enabled)
            return Named(id: made.add(.profile, name, body), name: name)
        }
    }

    private static func roles(_ seed: JSONValue, _ made: inout Made) -> [Named] {
        var found: [Named] = []
        for role in seed["org"]?["roles"]?.array ?? [] {
            var body = role
            let superior = role["reporting_to"]?["name"]?.string
            if let above = found.first(where: { $0.name == superior }) {
                body["reporting_to"] = ["name": .string(above.name), "id": .id(above.id)]
            }
            let name = role["name"]?.string ?? ""
            found.append(Named(id: made.add(.role, name, body), name: name))
        }
        return found
    }

    private static func modules(_ seed: JSONValue, _ profiles: [Named], _ made: inout Made) {
        var ids: [String: RecordID] = [:]
        let all =
            (seed["modules"]?.array ?? []).filter { StandardLinks.module(named: $0["api_name"]?.string ?? "") == nil }
            + StandardLinks.modules
        for module in all {
            let name = module["api_name"]?.string ?? ""
            var body = withProfileIDs(module, profiles)
            let fields = StandardLinks.fields(of: name) ?? seed["fields"]?[name]?.array ?? []
            if !fields.isEmpty, !["Users", "Activities"].contains(name) { body["table"] = .string("m_" + PhysicalName.slug(name)) }
            ids[name] = made.add(.module, name, body)
        }
        for module in all {
            let name = module["api_name"]?.string ?? ""
            guard let id = ids[name] else { continue }
            let hidden = StandardHidden.fields(of: name)
            for field in (StandardLinks.fields(of: name) ?? seed["fields"]?[name]?.array ?? []) + hidden where field["present_when"] == nil
            {
                let body = withValueIDs(
                    PhysicalName.withColumns(
                        StandardHidden.taxed(StandardLinks.connected(field, of: name), of: name), seed["field_defaults"] ?? [:]),
                    &made)
                made.add(.field, field["api_name"]?.string, body, parent: id)
            }
            for list in seed["related_lists"]?[name]?.array ?? [] where list["present_when"] == nil {
                made.add(.relatedList, list["api_name"]?.string, list, parent: id)
            }
            for layout in seed["org"]?["layouts"]?["modules"]?[name]?.array ?? [] {
                made.add(.layout, layout["api_name"]?.string, layout, parent: id)
            }
            for view in seed["org"]?["custom_views"]?["modules"]?[name]?.array ?? [] {
                made.add(.customView, view["system_name"]?.string, view, parent: id)
            }
        }
    }

    /// Profiles by name become profiles by name and id.
    private static func withProfileIDs(_ body: JSONValue, _ profiles: [Named]) -> JSONValue {
        guard let names = body["profiles"]?.array?.compactMap(\.string) else { return body }
        var body = body
        body["profiles"] = .array(profiles.filter { names.contains($0.name) }.map { ["name": .string($0.name), "id": .id($0.id)] })
        return body
    }

    /// Every picklist value has an id of its own.
    private static func withValueIDs(_ body: JSONValue, _ made: inout Made) -> JSONValue {
        guard let values = body["pick_list_values"]?.array, !values.isEmpty else { return body }
        var body = body
        body["pick_list_values"] = .array(
            values.map { value in
                var value = value
                value["id"] = .string(String(made.next))
                made.next += 1
                return value
            })
        return body
    }

    private static func settings(_ seed: JSONValue, _ made: inout Made) {
        let org = seed["org"] ?? [:]
        for pipeline in org["pipelines"]?["list"]?.array ?? [] { made.add(.pipeline, pipeline["display_value"]?.string, pipeline) }
        for tax in org["taxes"]?["list"]?.array ?? [] { made.add(.tax, tax["name"]?.string, tax) }
        for role in org["contact_roles"]?["list"]?.array ?? [] { made.add(.contactRole, role["name"]?.string, role) }
        for group in org["variable_groups"]?["list"]?.array ?? [] { made.add(.variableGroup, group["api_name"]?.string, group) }
    }

    private static func user(_ name: String, _ email: String, _ seed: JSONValue, profile: Named, role: Named) -> JSONValue {
        var body = seed["org"]?["user_defaults"] ?? [:]
        let parts = name.split(separator: " ", maxSplits: 1).map(String.init)
        let settings: [(String, JSONValue)] = [
            ("first_name", .string(parts.count > 1 ? parts[0] : "")), ("last_name", .string(parts.last ?? name)),
            ("full_name", .string(name)),
            ("email", .string(email)), ("status", "active"), ("confirm", true), ("type__s", "Regular User"),
            ("profile", ["name": .string(profile.name), "id": .id(profile.id)]),
            ("role", ["name": .string(role.name), "id": .id(role.id)]),
        ]
        for (key, value) in settings { body[key] = value }
        return body
    }
}
