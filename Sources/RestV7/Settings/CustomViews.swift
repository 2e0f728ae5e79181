import CRMCore
import HTTPShell
import Metadata
import Wire

/// The custom views of a module. Contract: custom-views, U20.
enum ListCustomViews: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/custom_views", entry: "U20", scope: .fixed(["ZohoCRM.settings.custom_views.READ"]))

    static func respond(_ input: ModuleParameter, _ context: RequestContext) async throws -> Reply {
        let documents = context.metadata.documents(.customView).filter { $0.parent?.raw == input.module.id.raw }
        guard !documents.isEmpty else { return .nothing }
        let answers = MetadataAnswers(catalog: context.metadata)
        let standard = documents.first { $0.body["default"]?.bool == true } ?? documents[0]
        return .json([
            "custom_views": .array(documents.map { answers.view($0, inFull: false) }),
            "info": [
                "per_page": .integer(documents.count), "default": .id(standard.id), "count": .integer(documents.count), "page": 1,
                "more_records": false,
                "translation": [
                    "public_views": "Public Views", "other_users_views": "Other Users' Views", "shared_with_me": "Shared With Me",
                    "created_by_me": "Created By Me",
                ],
            ],
        ])
    }
}

/// One custom view. Contract: custom-views, U20.
enum GetCustomView: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/custom_views/{view_id}", entry: "U20", scope: .fixed(["ZohoCRM.settings.custom_views.READ"]))

    struct Input: EndpointInput {
        let module: Module
        let id: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try ModuleParameter(request, context).module
            id = request.path["view_id"] ?? ""
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let document = context.metadata.documents(.customView).first {
            $0.parent?.raw == input.module.id.raw && String($0.id.raw) == input.id
        }
        guard let document else { return .nothing }
        return .json(["custom_views": [MetadataAnswers(catalog: context.metadata).view(document, inFull: true)]])
    }
}
