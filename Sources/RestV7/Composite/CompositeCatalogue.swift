import HTTPShell
import Wire

/// Which calls a composite may hold, and with how many records (`composite-api.md`, "Allowed APIs").
enum CompositeCatalogue {
    enum Allowance: Sendable { case free, oneRecord, shortPage }
    static let pageLimit = 25

    static func allowance(_ method: HTTPMethod, _ segments: [Substring]) -> Allowance? {
        guard let first = segments.first, !first.isEmpty, !first.hasPrefix("__") else { return nil }
        switch first {
        case "org": return org(method, Array(segments.dropFirst()))
        case "users": return users(method, Array(segments.dropFirst()))
        case "coql": return method == .post && segments.count == 1 ? .shortPage : nil
        case "settings": return settings(method, segments.dropFirst())
        case "actions":
            guard segments.count == 2, segments[1] == "watch" else { return nil }
            return method == .delete ? .free : method == .get ? .shortPage : .oneRecord
        case "files", "upload", "functions": return nil
        default: return records(method, segments)
        }
    }

    private static func org(_ method: HTTPMethod, _ rest: [Substring]) -> Allowance? {
        switch rest.first {
        case nil: return method == .get ? .free : nil
        case "currencies"?: return method == .get ? .free : .oneRecord
        // A picture is no JSON.
        case "photo"?: return nil
        default: return method == .get ? .free : nil
        }
    }

    private static func users(_ method: HTTPMethod, _ rest: [Substring]) -> Allowance? {
        if rest.first == "actions" { return method == .get && rest == ["actions", "count"] ? .free : nil }
        switch method {
        case .get: return .shortPage
        case .delete: return rest.isEmpty ? nil : .oneRecord
        default: return rest.dropFirst().first == "actions" ? nil : .oneRecord
        }
    }

    /// Whether a call changes settings, for which the transaction of a request that rolls back must keep other writers out.
    static func changesSettings(_ method: HTTPMethod, _ segments: [Substring]) -> Bool {
        method != .get && segments.first.map { ["org", "users", "settings"].contains($0) } ?? false
    }

    /// `segments` are those behind `settings`.
    private static func settings(_ method: HTTPMethod, _ segments: ArraySlice<Substring>) -> Allowance? {
        let reads: Set<Substring> = [
            "modules", "fields", "layouts", "related_lists", "custom_views", "profiles", "custom_links", "wizards", "variable_groups",
            "validation_rules", "global_picklists", "map_dependency",
        ]
        let rest = Array(segments.dropFirst())
        switch segments.first {
        case "roles"?, "pipeline"?: return method == .delete ? nil : .free
        case "variables"?: return method == .get ? .free : method == .delete && rest.isEmpty ? nil : .oneRecord
        case "tags"?:
            if rest.first == "actions" { return nil }
            return method == .get ? .free : method == .delete ? nil : .oneRecord
        case "territories"?, "email_templates"?, "inventory_templates"?: return method == .get ? .shortPage : nil
        case "automation"?: return method == .get && rest.first == "assignment_rules" ? .free : nil
        case "emails"?: return method == .get && rest == ["actions", "from_addresses"] ? .free : nil
        case let family? where reads.contains(family): return method == .get ? .free : nil
        default: return nil
        }
    }

    /// What stands beside a record and has calls of its own, none of which the page names; or what is no JSON.
    private static let ofTheirOwn: Set<Substring> = ["Emails", "Locking_Information__s", "Entity_Scores__s", "photo"]

    private static func isOfItsOwn(_ name: Substring) -> Bool {
        ofTheirOwn.contains(name) || name.hasPrefix("__") && name != "__conversion_options"
    }

    /// What is removed is named in the path, except a photo.
    private static func records(_ method: HTTPMethod, _ segments: [Substring]) -> Allowance? {
        if segments.count > 1, segments[0] == "Contacts", segments[1] == "roles" { return nil }
        if segments.count > 2, segments[2] != "photo" || method != .delete, isOfItsOwn(segments[2]) { return nil }
        switch (segments.count, method) {
        case (1, .get): return segments[0] == "Entity_Scores__s" ? nil : .shortPage
        case (1, .post), (1, .put): return .oneRecord
        case (2, .get): return segments[0] == "Entity_Scores__s" ? nil : .shortPage
        case (2, .post): return segments[1] == "upsert" ? .oneRecord : nil
        case (2, .put), (2, .delete): return .oneRecord
        case (3, .get): return segments[1] == "actions" ? (segments[2] == "count" ? .free : nil) : .shortPage
        case (3, .delete): return segments[2] == "photo" ? .free : nil
        case (3, .post), (3, .put): return segments[1] == "actions" || segments[2] == "Attachments" ? nil : .oneRecord
        case (4, _) where segments[2] == "actions":
            let actions: [Substring: Set<HTTPMethod>] = [
                "convert": [.post], "blueprint": [.get, .put], "add_tags": [.post], "remove_tags": [.post], "share": [.get],
            ]
            return actions[segments[3]]?.contains(method) == true ? .free : nil
        case (4, _) where segments[2] == "Attachments": return nil
        case (4, .get): return .shortPage
        case (4, .put), (4, .delete): return .oneRecord
        default: return nil
        }
    }
}
