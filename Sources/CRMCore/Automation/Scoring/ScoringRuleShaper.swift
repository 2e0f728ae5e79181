import Metadata
import SQLStore
import Wire

/// Makes and changes scoring rules. Contract: scoring-rules, 11, 12, 16 and 17.
package struct ScoringRuleShaper {
    private let scope: MetadataScope

    package init(_ scope: MetadataScope) { self.scope = scope }

    /// Completes a rule that is made or changed. Module, layout and state are set at birth; a change ignores them (12, last note).
    package func complete(_ body: inout JSONValue, id: RecordID, _ item: JSONCursor, isNew: Bool) throws {
        if isNew { try readPlace(&body, item) }
        let moduleID = ModuleID(raw: body["module"]?["id"]?.looseInt64 ?? 0)
        guard let module = scope.catalog.module(id: moduleID)?.whole else { throw Rejection(.invalidData, .id(id)) }
        let givenFields = Self.given("field_rules", item)
        let givenSignals = Self.given("signal_rules", item)
        if let givenFields {
            let reader = FieldRuleReader(module: module, layout: body["layout"]?["id"]?.looseInt64.map(RecordID.init(raw:)), scope: scope)
            body["field_rules"] = .array(try reader.read(givenFields, over: body["field_rules"]?.array ?? []))
        }
        if let givenSignals {
            if !ScoringRule.isAboutPeople(module), !(givenSignals.value.array ?? []).isEmpty {
                throw Rejection(.notSupported, .apiName("signal_rules"), .jsonPath(givenSignals.path))
            }
            body["signal_rules"] = .array(try readSignals(givenSignals, over: body["signal_rules"]?.array ?? []))
        }
        for key in ["field_rules", "signal_rules"] where body[key]?.array == nil { body[key] = [] }
        let count = (body["field_rules"]?.array?.count ?? 0) + (body["signal_rules"]?.array?.count ?? 0)
        if count == 0 { throw Rejection.expected(["field_rules", "signal_rules"], at: item.path) }
        guard count <= ScoringRule.mostCriteria else {
            throw Rejection(.limitExceeded, .jsonPath(item.path), .other("limit", .integer(ScoringRule.mostCriteria)))
        }
        if isNew || givenFields != nil || givenSignals != nil { try refuseTwin(of: body, id, item) }
        if isNew { try requireRoom(in: moduleID, active: body["active"]?.bool ?? true) }
        body["modified_by"] = scope.actor
        body["modified_time"] = scope.time
    }

    private func readPlace(_ body: inout JSONValue, _ item: JSONCursor) throws {
        let given = try item.required("module")
        let module = try NamedModule.read(given, scope.catalog)
        guard ScoringRule.supports(module) else { throw Rejection.invalid(at: given.path) }
        body["module"] = ["api_name": .string(module.apiName), "id": .string(String(module.id.raw))]
        body["layout"] = .null
        if let given = Self.given("layout", item) { body["layout"] = try layout(given, of: module) }
        body["active"] = true
        if let given = Self.given("active", item) { body["active"] = .bool(try given.bool()) }
        body["created_by"] = scope.actor
        body["created_time"] = scope.time
    }

    private func layout(_ given: JSONCursor, of module: Module) throws(Rejection) -> JSONValue {
        _ = try given.object()
        let id = try given.ownID()
        let found = scope.catalog.documents(.layout).first { layout in
            guard layout.parent?.raw == module.id.raw else { return false }
            if let id { return layout.id == id }
            return given.value["api_name"].map { $0 == layout.body["api_name"] || $0 == layout.body["name"] } ?? false
        }
        guard let found else { throw .invalid(at: given.value["id"] == nil ? given.path : given.path.appending("id")) }
        return ["api_name": found.body["api_name"] ?? found.body["name"] ?? .null, "id": .id(found.id)]
    }

    /// Signals with their points, over those that are there: one with an id changes or, with `_delete`, goes.
    private func readSignals(_ given: JSONCursor, over existing: [JSONValue]) throws(Rejection) -> [JSONValue] {
        var kept = existing
        for item in try given.elements() {
            var rule: JSONValue = ["id": .id(scope.ids.next())]
            let place = try Self.place(of: item, in: kept)
            if let place {
                if item.value["_delete"] != nil, item.value["_delete"] != .bool(false) {
                    kept.remove(at: place)
                    continue
                }
                rule = kept[place]
            }
            if place == nil || item.value["score"] != nil { rule["score"] = .integer(try Self.score(item)) }
            if place == nil || item.value["signal"] != nil {
                let named = try item.required("signal")
                rule["signal"] = try signal(named)
                let isTwice = kept.indices.contains { $0 != place && kept[$0]["signal"] == rule["signal"] }
                if isTwice { throw Rejection(.alreadyUsed, .apiName("signal"), .jsonPath(named.path)) }
            }
            if let place { kept[place] = rule } else { kept.append(rule) }
        }
        return kept
    }

    private func signal(_ given: JSONCursor) throws(Rejection) -> JSONValue {
        _ = try given.object()
        guard given.value["namespace"] != nil || given.value["id"] != nil else { throw .missing("namespace", at: given.path) }
        let id = try given.ownID()
        let found = Signal.all.first { signal in
            if let namespace = given.value["namespace"], !namespace.isNull { return namespace == .string(signal.namespace) }
            return id == signal.id
        }
        guard let found else { throw .invalid(at: given.path.appending(given.value["namespace"] == nil ? "id" : "namespace")) }
        guard found.isForScoring else { throw Rejection(.notSupported, .apiName("signal"), .jsonPath(given.path)) }
        return ["namespace": .string(found.namespace), "id": .id(found.id)]
    }

    /// A rule of the same place that asks for the same is one rule twice.
    private func refuseTwin(of body: JSONValue, _ id: RecordID, _ item: JSONCursor) throws(Rejection) {
        func criteria(_ body: JSONValue) -> Set<String> {
            Set(
                (body["field_rules"]?.array ?? []).map { ($0["criteria"] ?? .null).text }
                    + (body["signal_rules"]?.array ?? []).map { ($0["signal"]?["namespace"] ?? .null).text })
        }
        let wanted = criteria(body)
        let isTaken = scope.catalog.documents(.scoringRule).contains { other in
            other.id != id && other.body["module"]?["id"] == body["module"]?["id"] && other.body["layout"]?["id"] == body["layout"]?["id"]
                && criteria(other.body) == wanted
        }
        if isTaken { throw .duplicate(at: item.path.appending(item.value["field_rules"] == nil ? "signal_rules" : "field_rules")) }
    }

    private func requireRoom(in module: ModuleID, active: Bool) throws(Rejection) {
        let rules = ScoringRule.all(scope.catalog).filter { $0.module == module }
        guard rules.count < ScoringRule.most else { throw Rejection(.limitExceeded, .other("limit", .integer(ScoringRule.most))) }
        if active { try requireActiveRoom(in: module) }
    }

    private func requireActiveRoom(in module: ModuleID) throws(Rejection) {
        guard ScoringRule.active(in: module, scope.catalog).count < ScoringRule.mostActive else {
            throw Rejection(.activeStateLimitExceeded, .other("limit", .integer(ScoringRule.mostActive)))
        }
    }

    static func given(_ name: String, _ item: JSONCursor) -> JSONCursor? { item.optional(name).flatMap { $0.value.isNull ? nil : $0 } }

    /// Where the entry that an item names stands; nowhere for one without an id.
    static func place(of item: JSONCursor, in entries: [JSONValue]) throws(Rejection) -> Int? {
        _ = try item.object()
        guard let named = given("id", item) else { return nil }
        let id = try named.recordID()
        guard let place = entries.firstIndex(where: { $0["id"]?.looseInt64 == id.raw }) else { throw .invalid(at: named.path) }
        return place
    }

    static func score(_ item: JSONCursor) throws(Rejection) -> Int {
        let given = try item.required("score")
        let score = try given.integer()
        guard ScoringRule.scores.contains(Int(score)) else { throw .invalid(at: given.path) }
        return Int(score)
    }
}

extension ScoringRuleShaper {
    /// Turns a rule on or off; doing it again changes nothing.
    package func setActive(_ rule: Document, _ active: Bool) throws -> RecordID {
        guard rule.body["active"]?.bool != active else { return rule.id }
        let known = ScoringRule(rule)
        if active { try requireActiveRoom(in: known.module) }
        var body = rule.body
        body["active"] = .bool(active)
        body["modified_by"] = scope.actor
        body["modified_time"] = scope.time
        try scope.replace(rule.id, body: body)
        try follow(rule.id, of: known.module)
        return rule.id
    }

    /// A copy under a name of its own, active whatever the original is.
    package func clone(_ rule: Document) throws -> RecordID {
        let known = ScoringRule(rule)
        try requireRoom(in: known.module, active: true)
        var body = rule.body
        let name = cloneName(of: rule.body["name"]?.string ?? "")
        body["name"] = .string(name)
        body["active"] = true
        for key in ["field_rules", "signal_rules"] {
            body[key] = .array(
                (body[key]?.array ?? []).map { entry in
                    var entry = entry
                    entry["id"] = .id(scope.ids.next())
                    return entry
                })
        }
        for (key, value) in [
            ("created_by", scope.actor), ("created_time", scope.time), ("modified_by", scope.actor), ("modified_time", scope.time),
        ] {
            body[key] = value
        }
        let id = try scope.add(.scoringRule, name, body)
        try follow(id, of: known.module)
        return id
    }

    /// At most 25 characters, as every name of a rule.
    private func cloneName(of name: String) -> String {
        let taken = Set(scope.catalog.documents(.scoringRule).compactMap { $0.body["name"]?.string?.lowercased() })
        for number in 1...(ScoringRule.most * 50) {
            let suffix = number == 1 ? " copy" : " copy \(number)"
            let candidate = String(name.prefix(25 - suffix.count)) + suffix
            if !taken.contains(candidate.lowercased()) { return candidate }
        }
        return name
    }

    /// What is there already is scored by a job, after the change.
    package func follow(_ rule: RecordID, of module: ModuleID) throws {
        _ = try ScoringJob.schedule([rule], of: module, anew: true, scope.ids, at: scope.now, scope.tx)
    }
}

/// Reads what a rule gives points for in fields.
private struct FieldRuleReader {
    let module: Module
    let layout: RecordID?
    let scope: MetadataScope

    private static let scoreFields: Set<String> = [
        "Layout", "Score", "Positive_Score", "Negative_Score", "Touch_Point_Score", "Touch_Point_Positive_Score",
        "Touch_Point_Negative_Score",
    ]

    /// Entries over those that are there: one with an id changes or, with `_delete`, goes.
    func read(_ given: JSONCursor, over existing: [JSONValue]) throws(Rejection) -> [JSONValue] {
        var kept = existing
        let onLayout = layout.flatMap(fields)
        for item in try given.elements() {
            var rule: JSONValue = ["id": .id(scope.ids.next())]
            let place = try ScoringRuleShaper.place(of: item, in: kept)
            if let place {
                if item.value["_delete"] != nil, item.value["_delete"] != .bool(false) {
                    kept.remove(at: place)
                    continue
                }
                rule = kept[place]
            }
            if place == nil || item.value["score"] != nil { rule["score"] = .integer(try ScoringRuleShaper.score(item)) }
            if place == nil || item.value["criteria"] != nil {
                let criteria = try item.required("criteria")
                rule["criteria"] = try KeptCriteria.read(criteria, of: module, most: ScoringRule.mostCriteria, scope) {
                    (field, path) throws(Rejection) in
                    if Self.scoreFields.contains(field.apiName) || onLayout?.contains(field.apiName) == false {
                        throw Rejection(.notSupported, .apiName(field.apiName), .jsonPath(path))
                    }
                }
                let isTwice = kept.indices.contains { $0 != place && kept[$0]["criteria"] == rule["criteria"] }
                if isTwice { throw Rejection(.alreadyUsed, .apiName("criteria"), .jsonPath(criteria.path)) }
            }
            if let place { kept[place] = rule } else { kept.append(rule) }
        }
        return kept
    }

    /// The names of the fields that a layout shows, besides those every record carries.
    private func fields(_ layout: RecordID) -> Set<String>? {
        guard let document = scope.catalog.documents(.layout).first(where: { $0.id == layout }) else { return nil }
        let shown = (document.body["sections"]?.array ?? []).flatMap { $0["fields"]?.array ?? [] }
        let names = shown.compactMap { field in
            field["api_name"]?.string ?? field["id"]?.looseInt64.flatMap { id in module.fields.first { $0.id.raw == id }?.apiName }
        }
        return Set(names).union(["id", "Owner", "Created_By", "Modified_By", "Created_Time", "Modified_Time", "Last_Activity_Time", "Tag"])
    }
}
