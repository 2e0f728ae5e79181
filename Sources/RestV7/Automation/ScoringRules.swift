import CRMCore
import HTTPShell
import Metadata
import Wire

/// Rules that give points. Contract: scoring-rules, 10 to 13.
enum ScoringRules: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "scoring_rules", path: "/crm/v7/settings/automation/scoring_rules", scope: "ZohoCRM.settings.scoring_rules", kind: .scoringRule,
        verbs: [.get: "10", .create: "11", .updateMany: "12", .updateOne: "12", .deleteMany: "13", .deleteOne: "13"],
        messages: [
            .create: "scoring rule created successfully", .updateMany: "scoring rule updated successfully",
            .updateOne: "scoring rule updated successfully", .deleteMany: "scoring rule deleted successfully",
            .deleteOne: "scoring rule deleted successfully",
        ],
        permission: SettingsPermission.customize, perCall: 50, rule: ScoringFamilyRule(),
        attributes: [
            Attribute("name", .text(max: 25, plain: false), missing: .mandatoryNotFound, unique: true),
            Attribute("description", .text(max: 500, plain: false)),
        ])
}

struct ScoringFamilyRule: ResourceRule {
    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        let shaper = ScoringRuleShaper(scope)
        try shaper.complete(&draft.body, id: draft.id, draft.item, isNew: draft.existing == nil)
        let changed = ["field_rules", "signal_rules"].contains { draft.existing?.body[$0] != draft.body[$0] }
        if changed { try follow(draft.id, draft.body, scope) }
    }

    func remove(_ document: Document, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        try follow(document.id, document.body, scope)
    }

    private func follow(_ id: RecordID, _ body: JSONValue, _ scope: MetadataScope) throws {
        try ScoringRuleShaper(scope).follow(id, of: ModuleID(raw: body["module"]?["id"]?.looseInt64 ?? 0))
    }
}

/// Contract: scoring-rules, 10.
enum ListScoringRules: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/automation/scoring_rules", entry: "10", scope: .fixed(["ZohoCRM.settings.scoring_rules.READ"]))

    struct Input: EndpointInput {
        let module: Module?
        let layout: RecordID?
        let active: Bool?
        let name: String?
        let page: NumberedPage

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            func given(_ name: String) -> String? { request.query(name).flatMap { $0.isEmpty ? nil : $0 } }
            module = try given("module").map { name throws(Rejection) in
                guard let module = context.catalog.module(name), ScoringRule.supports(module) else {
                    throw Rejection(.invalidModule, .parameter("module"))
                }
                return module
            }
            layout = try given("layout_id").map { text throws(Rejection) in
                guard let id = RecordID(text) else { throw .invalidParameter("layout_id") }
                return id
            }
            active = try given("active").map { text throws(Rejection) in
                guard ["true", "false"].contains(text) else { throw .invalidParameter("active") }
                return text == "true"
            }
            name = given("name")?.lowercased()
            page = try NumberedPage(request)
        }

        func accepts(_ rule: ScoringRule) -> Bool {
            (module == nil || rule.module == module?.id) && (layout == nil || rule.layout == layout)
                && (active == nil || rule.isActive == active) && (name == nil || rule.document.body["name"]?.string?.lowercased() == name)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let rules = ScoringRule.all(context.catalog).filter(input.accepts)
        return input.page.reply(
            "scoring_rules", rules.map { .object([.init("id", .id($0.id))] + ($0.document.body.members ?? [])) })
    }
}

/// The rule of a path, to be changed.
struct ScoringRulePath: EndpointInput {
    let id: RecordID

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try context.access.require(permission: SettingsPermission.customize)
        guard let id = RecordID(request.path["item"] ?? "") else { throw .unknownItem }
        self.id = id
    }

    func change(
        _ message: String, _ context: RequestContext, _ body: @Sendable @escaping (Document, ScoringRuleShaper) throws -> RecordID
    ) async throws -> Reply {
        let results = try await context.changeEach([id]) { id, scope in
            guard let rule = scope.catalog.documents(.scoringRule).first(where: { $0.id == id }) else { throw Rejection.unknownItem }
            return try body(rule, ScoringRuleShaper(scope))
        }
        return .items("scoring_rules", results, saying: message)
    }
}

/// Contract: scoring-rules, 16.
enum ActivateScoringRule: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/automation/scoring_rules/{item}/actions/activate", entry: "16",
        scope: .fixed(["ZohoCRM.settings.scoring_rules.UPDATE"]))

    static func respond(_ input: ScoringRulePath, _ context: RequestContext) async throws -> Reply {
        try await input.change("scoring rule activated successfully", context) { try $1.setActive($0, true) }
    }
}

/// Contract: scoring-rules, 16.
enum DeactivateScoringRule: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/automation/scoring_rules/{item}/actions/activate", entry: "16",
        scope: .fixed(["ZohoCRM.settings.scoring_rules.UPDATE"]))

    static func respond(_ input: ScoringRulePath, _ context: RequestContext) async throws -> Reply {
        try await input.change("scoring rule deactivated successfully", context) { try $1.setActive($0, false) }
    }
}

/// Contract: scoring-rules, 17.
enum CloneScoringRule: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/automation/scoring_rules/{item}/actions/clone", entry: "17",
        scope: .fixed(["ZohoCRM.settings.scoring_rules.CREATE"]))

    static func respond(_ input: ScoringRulePath, _ context: RequestContext) async throws -> Reply {
        try await input.change("scoring rule cloned successfully", context) { try $1.clone($0) }
    }
}

/// Scores what is there already, by a job. Contract: scoring-rules, 14.
enum RunScoringRules: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/{module}/actions/run_scoring_rules", entry: "14", scope: .fixed(["ZohoCRM.settings.scoring_rules.UPDATE"]))

    struct Input: EndpointInput {
        let run: ScoringRun
        /// How many rules the body names; none when it names a layout, or nothing.
        let named: Int

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: SettingsPermission.customize)
            guard let module = context.catalog.module(request.path["module"] ?? ""), ScoringRule.supports(module) else {
                throw Rejection(.invalidData, message: "the module name given seems to be invalid", .resourcePathIndex(0))
            }
            let body = request.body.isEmpty ? JSONCursor([:]) : try request.json()
            _ = try body.object()
            let rules = body.optional("scoring_rules").flatMap { $0.value.isNull ? nil : $0 }
            let layout = body.optional("layout").flatMap { $0.value.isNull ? nil : $0 }
            if let rules, let layout {
                let paths = [rules, layout].map { ["api_name": .string($0.name), "json_path": .string($0.path.description)] as JSONValue }
                throw Rejection(.ambiguityDuringProcessing, .other("ambiguity_due_to", .array(paths)))
            }
            if let rules {
                var ids: [(id: RecordID, path: JSONPath)] = []
                for element in try rules.elements(1...ScoringRun.most) { ids.append((try element.recordID(), element.path)) }
                run = ScoringRun(module, .rules(ids))
                named = ids.count
            } else if let layout {
                let id = try layout.required("id")
                run = ScoringRun(module, .layout(try id.recordID(), id.path))
                named = 0
            } else {
                run = ScoringRun(module, .everything)
                named = 0
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let run = input.run
        let job = try await context.services.write(context.catalog, context.access, .api) { scope in try run.schedule(scope) }
        guard input.named > 0 else {
            return .json(
                .success(
                    "The scoring rules of the specified layout successfully scheduled to run", code: "SCHEDULED",
                    details: ["job_id": .id(job)]))
        }
        let one = JSONValue.success("scoring rules successfully scheduled to run", code: "SCHEDULED", details: ["job_id": .id(job)])
        return .json(["scoring_rules": .array(Array(repeating: one, count: input.named))])
    }
}

/// What rules may be about besides fields. Contract: scoring-rules, 18.
enum ListSignals: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/signals", entry: "18", scope: .fixed(["ZohoCRM.settings.signals.READ"]))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        let signals = Signal.all.map { signal -> JSONValue in
            var shown: JSONValue = [
                "id": .id(signal.id), "display_label": .string(signal.label), "namespace": .string(signal.namespace),
                "extension": [
                    "display_label": .string(signal.source.label), "namespace": .string(signal.source.namespace),
                    "id": .id(signal.source.id),
                    "type": 2,
                ],
                "feature_availability": ["scoring": .bool(signal.isForScoring), "signals": .bool(signal.isRaised)], "chat_enabled": false,
                // Visible where rules are made: what is never raised here has no place there.
                "enabled": .bool(signal.isRaised),
            ]
            if signal.isNegative { shown["negative_signal"] = true }
            return shown
        }
        return .json(["signals": .array(signals)])
    }
}
