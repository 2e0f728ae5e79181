import CRMCore
import HTTPShell
import Metadata
import Wire

/// The ways a deal can go. Contract: pipeline, 67 to 69.
enum PipelineFamily: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "pipeline", path: "/crm/v7/settings/pipeline", scope: "ZohoCRM.settings.pipeline", kind: .pipeline,
        verbs: [.list: "67", .get: "67", .create: "68", .updateMany: "69", .updateOne: "69"],
        messages: [.create: "Pipeline created", .updateMany: "Pipeline updated", .updateOne: "Pipeline updated"],
        permission: SettingsPermission.customize, perCall: 100, rule: PipelineRule(),
        attributes: [
            Attribute("display_value", .text(max: 100, plain: false), missing: .mandatoryNotFound, unique: true),
            Attribute("default", .flag, initial: false),
        ])
}

/// The layout a pipeline call names; only layouts of deals have pipelines.
enum PipelineLayout {
    static func read(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> RecordID {
        guard let text = request.query("layout_id"), !text.isEmpty else { throw .missingParameter("layout_id") }
        let deals = context.catalog.module("Deals")?.id.raw
        guard let layout = context.catalog.documents(.layout).first(where: { String($0.id.raw) == text && $0.parent?.raw == deals }) else {
            throw .invalidParameter("layout_id")
        }
        return layout.id
    }

    /// Pipelines the organisation began with stand in the standard layout.
    static func owns(_ pipeline: Document, _ layout: RecordID, _ catalog: Catalog) -> Bool {
        if let parent = pipeline.parent { return parent == layout }
        return catalog.documents(.layout).first { $0.id == layout }?.body["generated_type"]?.string == "system"
    }
}

/// Stages come by the ids of the Stage field's options.
struct PipelineRule: ResourceRule {
    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace {
        let layout = try PipelineLayout.read(request, context)
        var place = ResourcePlace(parent: layout)
        place.texts["standard"] =
            context.catalog.documents(.layout).first { $0.id == layout }?.body["generated_type"]?.string == "system" ? "yes" : nil
        return place
    }

    func contains(_ document: Document, _ place: ResourcePlace) -> Bool {
        document.parent == place.parent || (document.parent == nil && place.texts["standard"] != nil)
    }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        let namePath = draft.item.path.appending("display_value")
        let name = draft.body["display_value"]?.string ?? ""
        guard MadeName.isPlainLabel(name, more: ["(", ")", "-", "_"]) else { throw Rejection.invalid(at: namePath) }
        draft.body["maps"] = .array(try maps(draft, StageMap(scope.catalog)))
        if let old = draft.existing?.body["display_value"]?.string {
            if old != name {
                try PipelineOptions.rename(old, name, scope)
            }
            if draft.existing?.body["default"] == true { draft.body["default"] = true }
        } else {
            draft.body["actual_value"] = .string(name)
            try PipelineOptions.add(name, scope)
        }
        guard draft.body["default"] == true else { return }
        for other in scope.catalog.documents(.pipeline)
        where other.id != draft.id && contains(other, place) && other.body["default"] == true {
            var body = other.body
            body["default"] = false
            try scope.replace(other.id, body: body)
        }
    }

    private func maps(_ draft: ResourceDraft, _ stages: StageMap) throws(Rejection) -> [JSONValue] {
        var maps = draft.existing?.body["maps"]?.array ?? []
        guard let given = draft.item.optional("maps") else {
            if draft.existing == nil { throw .missing("maps", at: draft.item.path) }
            return maps
        }
        for entry in try given.elements() {
            let id = try entry.required("id")
            let place = maps.firstIndex { stages.id(of: $0).looseInt64 == id.value.looseInt64 }
            if entry.value["_delete"] != nil {
                guard let place else { throw .invalid(at: id.path) }
                guard maps.count > 1 else { throw Rejection(.cannotDelete, .apiName("maps"), .jsonPath(entry.path)) }
                maps.remove(at: place)
                continue
            }
            let sequence =
                place == nil
                ? try entry.required("sequence_number").integer() : entry.value["sequence_number"]?.int64 ?? Int64((place ?? 0) + 1)
            guard let map = stages.map(id.value, sequence: sequence) else { throw .invalid(at: id.path) }
            if let place { maps[place] = map } else { maps.append(map) }
        }
        if maps.isEmpty { throw .tooShort(1, at: given.path) }
        return maps.sorted { ($0["sequence_number"]?.int64 ?? 0) < ($1["sequence_number"]?.int64 ?? 0) }
    }

    func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue {
        var answer = answer
        let stages = StageMap(catalog)
        answer["child_available"] = true
        answer["maps"] = .array(
            (answer["maps"]?.array ?? []).map { map in .object([.init("id", stages.id(of: map))] + (map.members ?? [])) })
        return answer
    }
}

/// Moves the deals of a pipeline to another and deletes it. Contract: pipeline, 70.
enum TransferPipeline: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/pipeline/actions/transfer", entry: "70", scope: .fixed(["ZohoCRM.settings.pipeline.CREATE"]))

    struct Input: EndpointInput {
        let layout: RecordID
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            layout = try PipelineLayout.read(request, context)
            try context.access.require(permission: SettingsPermission.customize)
            items = try request.json().items("transfer_pipeline", limit: 1)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach(input.items) { item, scope in
            try transfer(item, input.layout, scope)
        }
        return .items("transfer_pipeline", results, saying: "transfer pipeline scheduled successfully", naming: "job_id")
    }

    private static func transfer(_ item: JSONCursor, _ layout: RecordID, _ scope: MetadataScope) throws -> RecordID {
        let pair = try item.required("pipeline")
        let stageMap = StageMap(scope.catalog)
        let from = try pipeline(pair.required("from"), layout, scope)
        let to = try pipeline(pair.required("to"), layout, scope)
        guard from.id != to.id else { throw Rejection.invalid(at: pair.path.appending("to")) }
        var stages: [(String, String)] = []
        for entry in try item.required("stages").elements() {
            stages.append((try stage(entry.required("from"), of: from, stageMap), try stage(entry.required("to"), of: to, stageMap)))
        }
        let name = from.body["display_value"]?.string ?? ""
        try scope.remove([from.id])
        try PipelineOptions.remove(name, scope)
        if from.body["default"] == true {
            var body = to.body
            body["default"] = true
            try scope.replace(to.id, body: body)
        }
        return try PipelineTransferJob.enqueue(from: name, to: to.body["display_value"]?.string ?? "", stages: stages, scope)
    }

    private static func pipeline(_ given: JSONCursor, _ layout: RecordID, _ scope: MetadataScope) throws(Rejection) -> Document {
        let found = scope.catalog.documents(.pipeline).first {
            $0.id.raw == given.value.looseInt64 && PipelineLayout.owns($0, layout, scope.catalog)
        }
        guard let found else { throw .invalid(at: given.path) }
        return found
    }

    private static func stage(_ given: JSONCursor, of pipeline: Document, _ stages: StageMap) throws(Rejection) -> String {
        let map = (pipeline.body["maps"]?.array ?? []).first { stages.id(of: $0).looseInt64 == given.value.looseInt64 }
        guard let name = map?["display_value"]?.string else { throw .invalid(at: given.path) }
        return name
    }
}
