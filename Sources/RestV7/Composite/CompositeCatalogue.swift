import HTTPShell
import Wire

/// Which calls a composite may hold, and with how many records (`composite-api.md`, "Allowed APIs").
enum CompositeCatalogue {
    enum Allowance: Sendable { case free, oneRecord, shortPage }
    static let pageLimit = 25

    static func allowance(_ method: HTTPMethod, _ segments: [Substring]) -> Allowance? {
        guard let first = segments.first, !first.isEmpty, !first.hasPrefix("__") else { return nil }
        switch first {
        case "org": return method == .get ? .free : segments.dropFirst().first == "currencies" ? .oneRecord : nil
        case "users": return method == .get ? .shortPage : .oneRecord
        case "coql": return method == .post ? .shortPage : nil
        case "settings": return settings(method, segments.dropFirst())
        case "actions":
            return segments.dropFirst().first == "watch" ? (method == .delete ? .free : method == .get ? .shortPage : .oneRecord) : nil
        case "files", "upload", "functions": return nil
        default: return records(method, Array(segments))
        }
    }

    /// Whether a call changes settings, for which the transaction of a request that rolls back must keep other writers out.
    static func changesSettings(_ method: HTTPMethod, _ segments: [Substring]) -> Bool {
        method != .get && segments.first.map { ["org", "users", "settings"].contains($0) } ?? false
    }

    private static func settings(_ method: HTTPMethod, _ segments: ArraySlice<Substring>) -> Allowance? {
        let reads: Set<Substring> = [
            "modules", "fields", "layouts", "related_lists", "custom_views", "profiles", "assignment_rules", "custom_links",
            "wizards", "variable_groups",
            "validation_rules", "global_picklists", "map_dependency",
        ]
        switch segments.first {
        case "roles"?, "pipeline"?: return method == .delete ? nil : .free
        case "variables"?: return method == .get ? .free : .oneRecord
        case "tags"?: return method == .get ? .free : method == .delete ? nil : .oneRecord
        case "territories"?, "templates"?: return method == .get ? .shortPage : nil
        case let family? where reads.contains(family): return method == .get ? .free : nil
        default: return nil
        }
    }

    private static func records(_ method: HTTPMethod, _ segments: [Substring]) -> Allowance? {
        switch (segments.count, method) {
        case (1, .get): return .shortPage
        case (1, .post), (1, .put): return .oneRecord
        case (2, .get): return .shortPage
        case (2, .post): return segments[1] == "upsert" ? .oneRecord : nil
        case (2, .put), (2, .delete): return .oneRecord
        case (3, .get): return segments[1] == "actions" ? (segments[2] == "count" ? .free : nil) : .shortPage
        case (3, .delete): return segments[2] == "photo" ? .free : segments[1] == "actions" ? nil : .oneRecord
        case (3, .post), (3, .put):
            return segments[1] == "actions" || segments[2] == "photo" || segments[2] == "Attachments" ? nil : .oneRecord
        case (4, _) where segments[2] == "actions":
            let actions: [Substring: Set<HTTPMethod>] = [
                "convert": [.post], "blueprint": [.get, .put], "add_tags": [.post], "remove_tags": [.post], "share": [.get],
            ]
            return actions[segments[3]]?.contains(method) == true ? .free : nil
        case (4, .get): return .shortPage
        case (4, .put), (4, .delete): return .oneRecord
        default: return nil
        }
    }
}
