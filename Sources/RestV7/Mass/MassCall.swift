import CRMCore
import HTTPShell
import Metadata
import Wire

/// What mass update and mass delete have in common: the module, and which records.
struct MassCall: Sendable {
    enum Target: Sendable {
        case ids([RecordID])
        case view(RecordID, MassSelection)
    }

    let module: Module
    let target: Target

    init(_ module: Module, _ body: JSONCursor, _ context: RequestContext) throws(Rejection) {
        self.module = module
        let view = body.optional("cvid").flatMap { $0.value.isNull ? nil : $0 }
        let ids = body.optional("ids").flatMap { $0.value.isNull ? nil : $0 }
        if let territory = body.optional("territory"), !territory.value.isNull, view == nil { throw .missing("cvid", at: body.path) }
        let territory = try TerritorySelection(body, module, context.catalog)
        switch (view, ids) {
        case (nil, nil): throw .missing("ids", at: body.path)
        case (_?, _?):
            throw Rejection(
                .ambiguityDuringProcessing,
                .other("ambiguity_due_to", .array(["cvid", "ids"].map { ["api_name": .string($0), "json_path": .string("$.\($0)")] })))
        case (let view?, nil):
            let id = try view.recordID()
            guard let selection = MassSelection(module, view: id, criteria: .null, territory: territory, context.catalog) else {
                throw .invalid(at: view.path)
            }
            target = .view(id, selection)
        case (nil, _?):
            var read: [RecordID] = []
            for id in try body.items("ids", limit: MassUpdate.idLimit) { read.append(try id.recordID()) }
            target = .ids(read)
        }
    }

    /// The standard modules that both actions take, and all that the organisation made.
    static let modules: Set<String> = [
        "Leads", "Accounts", "Contacts", "Deals", "Campaigns", "Tasks", "Events", "Calls", "Solutions", "Products", "Vendors",
        "Price_Books", "Quotes", "Sales_Orders",
        "Purchase_Orders", "Invoices",
    ]

    static func module(_ request: ParsedRequest, _ context: RequestContext, besides more: Set<String>, refusal: Rejection) throws(Rejection)
        -> Module
    {
        let module = try request.module(context)
        guard modules.contains(module.apiName) || more.contains(module.apiName) || module.generatedType == "custom" else { throw refusal }
        return module
    }

    /// The job of a status call; nobody learns of jobs of another module.
    static func progress(_ kind: String, _ module: Module, _ job: RecordID?, _ context: RequestContext) async throws -> JobProgress? {
        guard let job, let found = try await context.services.job(job, kind: kind) else { return nil }
        return found.payload["selection"]?["module"]?.looseInt64 == module.id.raw ? found : nil
    }
}
