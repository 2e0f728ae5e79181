import CRMCore
import HTTPShell
import Metadata
import Wire

/// The layouts of a module. Contract: layouts, U10.
enum ListLayouts: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/settings/layouts", entry: "U10", scope: .fixed(["ZohoCRM.settings.layouts.READ"]))

    static func respond(_ input: ModuleParameter, _ context: RequestContext) async throws -> Reply {
        let answers = MetadataAnswers(catalog: context.metadata)
        let layouts = answers.layouts(of: input.module).map { answers.layout($0, of: input.module) }
        return layouts.isEmpty ? .nothing : .json(["layouts": .array(layouts)])
    }
}

/// One layout. Contract: layouts, U10.
enum GetLayout: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/layouts/{layout_id}", entry: "U10", scope: .fixed(["ZohoCRM.settings.layouts.READ"]))

    struct Input: EndpointInput {
        let module: Module
        let id: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try ModuleParameter(request, context).module
            id = request.path["layout_id"] ?? ""
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let answers = MetadataAnswers(catalog: context.metadata)
        guard let layout = answers.layouts(of: input.module).first(where: { String($0.id.raw) == input.id }) else { return .nothing }
        return .json(["layouts": [answers.layout(layout, of: input.module)]])
    }
}
