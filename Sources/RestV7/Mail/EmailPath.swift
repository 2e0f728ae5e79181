import CRMCore
import HTTPShell
import Metadata
import Wire

/// The record in the path of a call about mails.
struct EmailPath: Sendable {
    let module: Module
    let record: RecordID

    /// Modules whose records have mails. Vendors and cases have the list too, though the pages that read them do not name them.
    static let modules: Set<String> = [
        "Leads", "Contacts", "Accounts", "Deals", "Quotes", "Sales_Orders", "Purchase_Orders", "Invoices", "Cases", "Vendors",
    ]

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        module = try Self.module(request, context)
        record = try request.recordID()
    }

    static func module(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> Module {
        let module = try request.module(context)
        guard modules.contains(module.apiName) || module.generatedType == "custom" else { throw .invalidModule() }
        return module
    }

    /// READ on the module, and on mails (`emails.md`, 229).
    static let reading = ScopeRule.all([.modules(["READ"]), .fixed(["ZohoCRM.modules.emails.READ"])])
    static let sending = ScopeRule.any([.area("ZohoCRM.send_mail", ["CREATE"]), .fixed(["ZohoCRM.send_mail.all.CREATE"])])

    /// Carries out what a call asks for each item, one after another; one that is refused leaves nothing behind.
    func each<Item: Sendable>(
        _ items: [Item], _ context: RequestContext, _ work: @Sendable @escaping (EmailDesk, Item) throws -> JSONValue
    ) async throws -> [Result<JSONValue, Rejection>] {
        try await context.services.writeEmails(items, on: record, of: module, context.catalog, context.access, work)
    }
}
