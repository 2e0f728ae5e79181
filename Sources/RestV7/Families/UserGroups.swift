import CRMCore
import HTTPShell
import Metadata
import Wire

/// Contract: user-groups, 40 to 42 and 45.
enum UserGroups: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "user_groups", path: "/crm/v7/settings/user_groups", scope: "ZohoCRM.settings.user_groups", kind: .userGroup,
        verbs: [.get: "42", .create: "40", .updateMany: "41", .updateOne: "41", .deleteOne: "45"],
        messages: [
            .create: "User Group Created successfully", .updateMany: "User Group Updated successfully",
            .updateOne: "User Group Updated successfully", .deleteOne: "Group deleted",
        ],
        permission: SettingsPermission.groups, perCall: 1, rule: UserGroupRule(),
        attributes: [
            Attribute("name", .text(max: 100, plain: true), missing: .mandatoryNotFound, unique: true),
            Attribute("description", .text(max: 250, plain: false)),
        ])
}

struct UserGroupRule: ResourceRule {
    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        if let given = draft.item.optional("sources") {
            let existing = draft.existing?.body["sources"]?.array ?? []
            draft.body["sources"] = .array(try UserGroup.sources(given, of: draft.id, existing: existing, scope.catalog))
        } else if draft.existing == nil {
            throw Rejection.missing("sources", at: draft.item.path)
        }
        if draft.existing == nil {
            for (key, value) in [("created_by", scope.actor), ("created_time", scope.time)] { draft.body[key] = value }
        }
        draft.body["modified_by"] = scope.actor
        draft.body["modified_time"] = scope.time
    }

    func remove(_ document: Document, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        try PeopleSources.remove(.groups, document.id, scope)
    }

    func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue {
        var answer = answer
        answer["sources"] = single ? .array(UserGroup(document).sources.compactMap { Self.source($0, catalog) }) : nil
        return answer
    }

    static func source(_ source: UserGroup.Source, _ catalog: Catalog) -> JSONValue? {
        guard let name = UserGroup.name(source.kind, source.id, catalog) else { return nil }
        var answer: JSONValue = ["source": ["name": .string(name), "id": .id(source.id)], "type": .string(source.kind.rawValue)]
        if source.kind == .territories {
            answer["sub_territories"] = .bool(source.below)
        } else {
            answer["subordinates"] = .bool(source.below)
        }
        return answer
    }
}

/// The `filters` parameter of group lists: tests of name and description, joined by `and`.
struct GroupFilter: Sendable {
    private let tests: [(key: String, comparator: String, value: String)]

    init(_ request: ParsedRequest) throws(Rejection) {
        guard let text = request.query("filters"), !text.isEmpty else {
            tests = []
            return
        }
        guard let parsed = try? JSONValue.parse(Array(text.utf8)) else { throw .invalidParameter("filters") }
        var tests: [(String, String, String)] = []
        for test in parsed["group"]?.array ?? [parsed] {
            guard let key = test["field"]?["api_name"]?.string ?? test["field"]?.string, ["name", "description"].contains(key),
                let comparator = test["comparator"]?.string, ["contains", "starts_with", "equal"].contains(comparator),
                let value = test["value"]?.string
            else { throw .invalidParameter("filters") }
            tests.append((key, comparator, value.lowercased()))
        }
        self.tests = tests
    }

    func accepts(_ group: Document) -> Bool {
        tests.allSatisfy { test in
            let text = group.body[test.key]?.string?.lowercased() ?? ""
            return switch test.comparator {
            case "contains": text.contains(test.value)
            case "starts_with": text.hasPrefix(test.value)
            default: text == test.value
            }
        }
    }
}

/// Contract: user-groups, 42.
enum ListUserGroups: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/user_groups", entry: "42", scope: .fixed(["ZohoCRM.settings.user_groups.READ"]))

    struct Input: EndpointInput {
        let page: NumberedPage
        let filter: GroupFilter
        let name: String?
        let counts: Bool
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            page = try NumberedPage(request)
            filter = try GroupFilter(request)
            name = request.query("name").flatMap { $0.isEmpty ? nil : $0.lowercased() }
            counts = request.query("include")?.contains("sources_count") ?? false
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let groups = context.catalog.documents(.userGroup).filter { group in
            input.filter.accepts(group) && (input.name == nil || group.body["name"]?.string?.lowercased() == input.name)
        }
        return input.page.reply("user_groups", groups.map { GroupAnswer.json($0, counts: input.counts, context.catalog) })
    }
}

enum GroupAnswer {
    static func json(_ group: Document, counts: Bool, _ catalog: Catalog) -> JSONValue {
        var answer = JSONValue.object([.init("id", .id(group.id))] + (group.body.members ?? []))
        answer["sources"] = nil
        guard counts else { return answer }
        let sources = UserGroup(group).sources
        func count(_ kind: UserGroup.SourceKind) -> JSONValue { .integer(sources.count { $0.kind == kind }) }
        answer["sources_count"] = ["territories": count(.territories), "roles": count(.roles), "users": count(.users)]
        return answer
    }
}

/// The group of a path, with the kind of user asked for.
struct GroupPath: EndpointInput {
    let group: UserGroup
    let page: NumberedPage
    let type: UserGroup.SourceKind?
    let userType: String?

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        let found = RecordID(request.path["item"] ?? "").flatMap { id in context.catalog.documents(.userGroup).first { $0.id == id } }
        guard let found else { throw .unknownItem }
        group = UserGroup(found)
        page = try NumberedPage(request)
        let kinds = UserGroup.SourceKind.allCases.map(\.rawValue)
        let wanted = request.query("type").flatMap { $0.isEmpty ? nil : $0 }
        if let wanted, !kinds.contains(wanted) { throw Rejection(.invalidData, .parameter("type"), .supportedValues(kinds)) }
        type = wanted.flatMap(UserGroup.SourceKind.init)
        userType = request.query("user_type").flatMap { $0.isEmpty ? nil : $0 }
        if let userType, !["active", "inactive", "deleted"].contains(userType) {
            throw Rejection(.invalidData, .parameter("user_type"), .supportedValues(["active", "inactive", "deleted"]))
        }
    }
}

/// Contract: user-groups, 43.
enum ListGroupSources: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/user_groups/{item}/sources", entry: "43", scope: .fixed(["ZohoCRM.settings.user_groups.READ"]))

    static func respond(_ input: GroupPath, _ context: RequestContext) async throws -> Reply {
        let sources = input.group.sources.filter { source in
            guard input.type == nil || source.kind == input.type else { return false }
            guard source.kind == .users, let wanted = input.userType else { return true }
            return context.catalog.user(UserID(raw: source.id.raw))?.status == wanted
        }
        return input.page.reply("sources", sources.compactMap { UserGroupRule.source($0, context.catalog) })
    }
}

/// Contract: user-groups, 44.
enum CountGroupSources: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/user_groups/{item}/actions/sources_count", entry: "44", scope: .fixed(["ZohoCRM.settings.user_groups.READ"])
    )

    static func respond(_ input: GroupPath, _ context: RequestContext) async throws -> Reply {
        let sources = input.group.sources
        func count(_ kind: UserGroup.SourceKind) -> JSONValue { .integer(sources.count { $0.kind == kind }) }
        func users(_ status: String) -> JSONValue {
            .integer(sources.count { $0.kind == .users && context.catalog.user(UserID(raw: $0.id.raw))?.status == status })
        }
        return .json([
            "sources_count": [
                [
                    "territories": count(.territories), "roles": count(.roles), "groups": count(.groups),
                    "users": ["inactive": users("inactive"), "deleted": users("deleted"), "active": users("active")],
                ]
            ]
        ])
    }
}

/// Contract: user-groups, 46.
enum ListGroupsOfUser: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/users/{user_id}/actions/associated_groups", entry: "46",
        scope: .all([.fixed(["ZohoCRM.settings.user_groups.READ"]), .fixed(["ZohoCRM.users.READ"])]))

    struct Input: EndpointInput {
        let user: UserID
        let page: NumberedPage
        let counts: Bool
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            guard let id = RecordID(request.path["user_id"] ?? ""), let user = context.catalog.user(UserID(raw: id.raw)) else {
                throw .unknownItem
            }
            self.user = user.id
            page = try NumberedPage(request)
            counts = request.query("include")?.contains("sources_count") ?? false
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let groups = UserGroup.all(context.catalog).filter { $0.members(context.catalog).contains(input.user) }
        return input.page.reply("user_groups", groups.map { GroupAnswer.json($0.document, counts: input.counts, context.catalog) })
    }
}

/// Contract: user-groups, 47.
enum CountGroupUsers: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/user_groups/actions/associated_users_count", entry: "47",
        scope: .fixed(["ZohoCRM.settings.user_groups.READ"]))

    struct Input: EndpointInput {
        let page: NumberedPage
        let filter: GroupFilter
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            page = try NumberedPage(request)
            filter = try GroupFilter(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let groups = UserGroup.all(context.catalog).filter { input.filter.accepts($0.document) }
        return input.page.reply(
            "associated_users_count",
            groups.map { group in
                [
                    "user_group": ["name": group.document.body["name"] ?? .null, "id": .id(group.document.id)],
                    "count": .integer(group.members(context.catalog).count),
                ]
            })
    }
}

/// What uses a group: assignment rules that give it work, and modules whose records are shared with it. Other groups are no use in
/// this sense. Contract: user-groups, 48.
enum ListGroupAssociations: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/user_groups/{item}/actions/associations", entry: "48", scope: .fixed(["ZohoCRM.settings.user_groups.READ"]))

    static func respond(_ input: GroupPath, _ context: RequestContext) async throws -> Reply {
        let group = input.group.document.id
        let rules = PeopleSources.rules(naming: .groups, group, context.catalog).compactMap { rule -> JSONValue? in
            context.catalog.module(id: rule.module).map { module in
                association("assignment_rules", rule.document.body["name"] ?? .null, rule.document.id, module)
            }
        }
        let shared = try await context.records.modulesShared(with: group).map { module in
            association("data_sharing", module.body["plural_label"] ?? .null, RecordID(raw: module.id.raw), module)
        }
        let all = rules + shared
        return all.isEmpty ? .nothing : .json(["associations": .array(all)])
    }

    /// The page calls its last part `details`, the SDK reads `detail`.
    private static func association(_ type: String, _ name: JSONValue, _ id: RecordID, _ module: Module) -> JSONValue {
        let place: JSONValue = ["module": module.shown]
        return ["type": .string(type), "resource": ["name": name, "id": .id(id)], "details": place, "detail": place]
    }
}

let userGroupEndpoints: [any Endpoint.Type] =
    UserGroups.endpoints + [
        ListUserGroups.self, ListGroupSources.self, CountGroupSources.self, ListGroupsOfUser.self, CountGroupUsers.self,
        ListGroupAssociations.self,
    ]
