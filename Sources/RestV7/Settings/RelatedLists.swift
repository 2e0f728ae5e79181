import CRMCore
import HTTPShell
import Metadata
import Wire

/// The related lists of a module. Contract: related-lists, U15.
enum ListRelatedLists: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/related_lists", entry: "U15", scope: .fixed(["ZohoCRM.settings.related_lists.READ"]))

    static func respond(_ input: ModuleParameter, _ context: RequestContext) async throws -> Reply {
        let answers = MetadataAnswers(catalog: context.metadata)
        let lists = context.metadata.relatedLists(of: input.module.id).map(answers.relatedList)
        return lists.isEmpty ? .nothing : .json(["related_lists": .array(lists)])
    }
}

/// One related list. Contract: related-lists, U15.
enum GetRelatedList: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/related_lists/{list_id}", entry: "U15", scope: .fixed(["ZohoCRM.settings.related_lists.READ"]))

    struct Input: EndpointInput {
        let module: Module
        let id: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try ModuleParameter(request, context).module
            id = request.path["list_id"] ?? ""
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let list = context.metadata.relatedLists(of: input.module.id).first(where: { String($0.id.raw) == input.id }) else {
            return .nothing
        }
        return .json(["related_lists": [MetadataAnswers(catalog: context.metadata).relatedList(list)]])
    }
}
