import Metadata
import Wire

/// Reads a locking configuration from a body, with what was configured before beneath it, into the form that is kept.
/// Contract: record-locking-configuration, 103 and 104.
struct LockingReader {
    /// As many rules, profiles and fields as one configuration may name; the contract gives no number.
    private static let mostRules = 10, mostProfiles = 100, mostFields = 100

    let catalog: Catalog
    let module: Module
    let user: UserID
    let ids: any IDSource
    let dates: MovingDates

    private static let known: Set<String> = [
        "lock_type", "locked_for", "lock_excluded_profiles", "excluded_fields", "feature_type", "restricted_actions",
        "restricted_communications",
        "restricted_custom_buttons", "lock_for_portal_users", "locking_rules",
    ]

    /// `before` is the body as it is kept; nothing for a new configuration.
    func read(_ item: JSONCursor, over before: JSONValue) throws(Rejection) -> JSONValue {
        var merged = before
        for member in try item.object() where Self.known.contains(member.name) && member.name != "locking_rules" {
            merged[member.name] = member.value
        }
        let cursor = JSONCursor(merged, at: item.path)
        let type = try choice(try item.required("lock_type"), LockingConfiguration.LockType.allCases.map(\.rawValue))
        var body: JSONValue = ["lock_type": .string(type)]
        body["locked_for"] = .string(
            try choice(given(cursor, "locked_for"), ["all_profiles", "all_profiles_except_excluded_profiles"]) ?? "all_profiles")
        body["feature_type"] = .string(try choice(given(cursor, "feature_type"), ["record_locking"]) ?? "record_locking")
        let actions = try choices(given(cursor, "restricted_actions"), LockedAction.allCases.map(\.rawValue))
        body["restricted_actions"] = .array((actions.contains("update") ? actions : ["update"] + actions).map(JSONValue.string))
        let communications = try choices(
            given(cursor, "restricted_communications"), LockedCommunication.allCases.map(\.rawValue))
        body["restricted_communications"] = communications.isEmpty ? .null : .array(communications.map(JSONValue.string))
        body["restricted_custom_buttons"] = .null
        // There are no custom buttons, so none that is named exists.
        if let button = try given(cursor, "restricted_custom_buttons")?.elements().first { throw .invalid(at: button.path) }
        body["lock_for_portal_users"] = .bool(try given(cursor, "lock_for_portal_users")?.bool() ?? true)
        body["excluded_fields"] = try fields(given(cursor, "excluded_fields"))
        body["lock_excluded_profiles"] = try profiles(cursor, everybody: body["locked_for"] == "all_profiles")
        body["locking_rules"] = try rules(item, over: before["locking_rules"]?.array ?? [], needed: type != "manual")
        body["system_defined"] = false
        return body
    }

    private func given(_ cursor: JSONCursor, _ name: String) -> JSONCursor? { cursor.optional(name).flatMap { $0.value.isNull ? nil : $0 } }

    private func choice(_ input: JSONCursor, _ allowed: [String]) throws(Rejection) -> String {
        let text = try input.string()
        guard allowed.contains(text) else { throw .unsupported(allowed, at: input.path) }
        return text
    }

    private func choice(_ input: JSONCursor?, _ allowed: [String]) throws(Rejection) -> String? {
        guard let input else { return nil }
        return try choice(input, allowed) as String
    }

    private func choices(_ input: JSONCursor?, _ allowed: [String]) throws(Rejection) -> [String] {
        var chosen: [String] = []
        for element in try input?.elements() ?? [] {
            let text: String = try choice(element, allowed)
            if !chosen.contains(text) { chosen.append(text) }
        }
        return chosen
    }

    private func limit(_ input: JSONCursor, _ most: Int) throws(Rejection) -> [JSONCursor] {
        let elements = try input.elements()
        guard elements.count <= most else {
            throw Rejection(.limitExceeded, .apiName(input.name), .jsonPath(input.path), .other("limit", .integer(most)))
        }
        return elements
    }

    private func fields(_ input: JSONCursor?) throws(Rejection) -> JSONValue {
        guard let input else { return .null }
        var named: [JSONValue] = []
        for element in try limit(input, Self.mostFields) { named.append(shown(try field(element))) }
        return named.isEmpty ? .null : .array(named)
    }

    private func shown(_ field: Field) -> JSONValue { ["api_name": .string(field.apiName), "id": .string(String(field.id.raw))] }

    /// A field named by `api_name`, `id` or both, which must agree.
    private func field(_ input: JSONCursor) throws(Rejection) -> Field {
        _ = try input.object()
        let name = given(input, "api_name")
        let id = given(input, "id")
        let places = ["api_name", "id"].map {
            ["api_name": .string($0), "json_path": .string(input.path.appending($0).description)] as JSONValue
        }
        if name == nil && id == nil { throw Rejection(.expectedFieldMissing, .other("expected_fields", .array(places))) }
        let byName = name.flatMap { $0.value.string.flatMap { module.field($0) } }
        let byID = id.flatMap { $0.value.looseInt64.flatMap { module.field(FieldID(raw: $0)) } }
        if name != nil, byName == nil { throw .invalid(at: input.path.appending("api_name")) }
        if id != nil, byID == nil { throw .invalid(at: input.path.appending("id")) }
        if let byName, let byID, byName !== byID { throw Rejection(.ambiguityDuringProcessing, .other("ambiguity_due_to", .array(places))) }
        guard let found = byName ?? byID else { throw .invalid(at: input.path) }
        return found
    }

    private func profiles(_ cursor: JSONCursor, everybody: Bool) throws(Rejection) -> JSONValue {
        if everybody { return .null }
        guard let input = given(cursor, "lock_excluded_profiles"), input.value != .array([]) else {
            throw Rejection(
                .dependentFieldMissing, .dependee("locked_for", cursor.path.appending("locked_for")), .apiName("lock_excluded_profiles"),
                .jsonPath(cursor.path.appending("lock_excluded_profiles")))
        }
        var named: [JSONValue] = []
        for element in try limit(input, Self.mostProfiles) {
            let id = try element.required("id").recordID()
            guard let profile = catalog.documents(.profile).first(where: { $0.id == id }) else {
                throw .invalid(at: element.path.appending("id"))
            }
            named.append(["name": profile.body["name"] ?? .null, "id": .id(id)])
        }
        return .array(named)
    }

    /// A rule with an id changes that rule, one with `_delete` drops it, one without id is new.
    private func rules(_ item: JSONCursor, over before: [JSONValue], needed: Bool) throws(Rejection) -> JSONValue {
        var rules = before
        let path = item.path.appending("locking_rules")
        let tooMany = Rejection(.limitExceeded, .apiName("locking_rules"), .jsonPath(path), .other("limit", .integer(Self.mostRules)))
        let inputs = try given(item, "locking_rules")?.elements() ?? []
        // As many may go as come.
        guard inputs.count <= 2 * Self.mostRules else { throw tooMany }
        for input in inputs {
            _ = try input.object()
            let id = try given(input, "id")?.recordID()
            let index = id.flatMap { id in rules.firstIndex { $0["id"]?.looseInt64 == id.raw } }
            if id != nil, index == nil { throw .invalid(at: input.path.appending("id")) }
            if let index, input.value["_delete"]?.bool == true {
                rules.remove(at: index)
                continue
            }
            let rule = try self.rule(input, over: index.map { rules[$0] } ?? ["id": .id(ids.next())])
            for (position, other) in rules.enumerated() where position != index {
                if other["name"] == rule["name"] { throw .duplicate(at: input.path.appending("name")) }
                if other["criteria"] == rule["criteria"] { throw .duplicate(at: input.path.appending("criteria")) }
            }
            if let index { rules[index] = rule } else { rules.append(rule) }
        }
        guard rules.count <= Self.mostRules else { throw tooMany }
        if needed, rules.isEmpty {
            throw Rejection(
                .dependentFieldMissing, .dependee("lock_type", item.path.appending("lock_type")), .apiName("locking_rules"), .jsonPath(path)
            )
        }
        return rules.isEmpty ? .null : .array(rules)
    }

    private func rule(_ input: JSONCursor, over before: JSONValue) throws(Rejection) -> JSONValue {
        let isNew = before["name"] == nil
        var rule = before
        if isNew || given(input, "name") != nil { rule["name"] = .string(try input.required("name").string(max: 120, min: 1)) }
        rule["lock_existing_records"] = .bool(
            try given(input, "lock_existing_records")?.bool() ?? before["lock_existing_records"]?.bool ?? false)
        if isNew || given(input, "criteria") != nil { rule["criteria"] = try criteria(try input.required("criteria"), depth: 0) }
        return rule
    }

    /// Tasks are locked when they are closed, and by nothing else (record-locking-configuration, 103: NOT_SUPPORTED).
    private func requireClosed(_ leaf: JSONValue, _ field: Field, _ path: JSONPath) throws(Rejection) {
        guard module.apiName == "Tasks" else { return }
        let values = leaf["value"]?.array ?? [leaf["value"] ?? .null]
        let closed = field.apiName == "Status" && ["equal", "in"].contains(leaf["comparator"]?.string) && values == [.string("Completed")]
        if !closed { throw Rejection(.notSupported, .apiName(field.apiName), .jsonPath(path)) }
    }

    /// Criteria with their fields found; what cannot be asked of a field is NOT_SUPPORTED.
    private func criteria(_ input: JSONCursor, depth: Int) throws(Rejection) -> JSONValue {
        guard depth < 5 else { throw Rejection(.notSupported, .jsonPath(input.path)) }
        _ = try input.object()
        if let group = given(input, "group") {
            var parts: [JSONValue] = []
            for part in try group.elements() { parts.append(try criteria(part, depth: depth + 1)) }
            guard !parts.isEmpty else { throw .tooShort(1, at: group.path) }
            let word: String = try choice(try input.required("group_operator"), ["AND", "OR", "and", "or"])
            return ["group_operator": .string(word.uppercased()), "group": .array(parts)]
        }
        let field = try self.field(try input.required("field"))
        let leaf: JSONValue = [
            "comparator": try input.required("comparator").value, "field": shown(field), "value": input.value["value"] ?? .null,
        ]
        try requireClosed(leaf, field, input.path)
        do throws(Rejection) {
            let condition = try CriteriaReader(module: module, user: user, dates: MovingDates(now: .now(), zone: catalog.zone, of: catalog))
                .read(leaf)
            let access = AccessPolicy.system("only whether the criteria can be asked is asked")
            _ = try ConditionSQL(catalog: catalog, module: module, alias: "t", access: access).render(condition)
        } catch {
            throw Rejection(.notSupported, .apiName(field.apiName), .jsonPath(input.path))
        }
        return leaf
    }
}
