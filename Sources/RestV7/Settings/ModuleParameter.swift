import CRMCore
import HTTPShell
import Metadata
import Wire

extension RequestContext {
    /// The catalog that settings calls show and change: whole for who shapes the organisation, or nobody could give a field back.
    var metadata: Catalog { access.may(permission: SettingsPermission.customize) ? catalog.whole : catalog }
}

/// The `module` parameter of settings calls.
struct ModuleParameter: EndpointInput {
    let module: Module

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        guard let name = request.query("module"), !name.isEmpty else { throw .missingParameter("module") }
        guard let module = context.metadata.module(name) else { throw Rejection(.invalidModule, .parameter("module")) }
        self.module = module
    }
}
