import HTTPShell
import Metadata
import Wire

/// The `module` parameter of settings calls.
struct ModuleParameter: EndpointInput {
    let module: Module

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        guard let name = request.query("module"), !name.isEmpty else { throw .missingParameter("module") }
        guard let module = context.catalog.module(name) else { throw Rejection(.invalidModule, .parameter("module")) }
        self.module = module
    }
}
