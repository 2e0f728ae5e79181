import CRMCore
import HTTPShell
import Metadata
import Wire

/// Dependent picklists of a layout. Contract: map-dependency, 24 to 27.
enum MapDependencies: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "map_dependency", path: "/crm/v7/settings/layouts/{layout_id}/map_dependency", scope: "ZohoCRM.settings.map_dependency",
        kind: .mapDependency,
        verbs: [.list: "24", .get: "24", .create: "25", .updateOne: "26", .deleteOne: "27"],
        messages: [.create: "map dependency created", .updateOne: "map dependency updated", .deleteOne: "map dependency deleted"],
        permission: SettingsPermission.customize, perCall: 1, rule: DependencyFamilyRule(), attributes: [])
}

/// Everything hangs on the layout of the path and the module of the parameter.
struct DependencyFamilyRule: ResourceRule {
    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace {
        let module = try ModuleParameter(request, context).module
        let layout = RecordID(request.path["layout_id"] ?? "").flatMap { id in context.catalog.documents(.layout).first { $0.id == id } }
        guard let layout, layout.parent?.raw == module.id.raw, layout.body["status"]?.string ?? "active" == "active" else {
            throw Rejection(.invalidData, .resourcePathIndex(0))
        }
        var place = ResourcePlace(parent: layout.id)
        place.ids["module"] = RecordID(raw: module.id.raw)
        return place
    }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        guard let layout = place.parent, let module = place.ids["module"].flatMap({ scope.catalog.module(id: ModuleID(raw: $0.raw)) })
        else {
            throw Rejection(.invalidModule, .parameter("module"))
        }
        draft.body = try MapDependency.read(draft.item, layout: layout, module, existing: draft.existing, scope.catalog)
    }

    func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue {
        var answer = answer
        let module = answer["module"]?.string.flatMap { catalog.module($0) }
        for key in ["maps", "module"] { answer[key] = nil }
        if single {
            answer["pick_list_values"] = module.flatMap { MapDependency(document, $0) }?.values() ?? []
        } else {
            answer["sub_module"] = .null
        }
        return answer
    }
}
