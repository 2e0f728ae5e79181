import CRMCore
import HTTPShell
import Metadata
import Wire

/// A file of one of a record's fields. Contract: fields-attachments, 215.
enum DownloadFieldFile: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/actions/download_fields_attachment", entry: "215", scope: .modules(["READ"]))

    private static let modules: Set<String> = [
        "Leads", "Accounts", "Contacts", "Deals", "Tasks", "Events", "Calls", "Products", "Price_Books", "Quotes", "Sales_Orders",
        "Purchase_Orders",
        "Invoices", "Campaigns", "Vendors", "Cases", "Solutions",
    ]

    struct Input: EndpointInput {
        let module: Module
        let record: RecordID
        let file: RecordID

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try request.module(context)
            guard modules.contains(module.apiName) || module.generatedType == "custom" else { throw .invalidModule() }
            record = try request.recordID()
            guard let text = request.query("fields_attachment_id"), !text.isEmpty else { throw .missingParameter("fields_attachment_id") }
            guard let file = RecordID(text) else { throw .invalidParameter("fields_attachment_id") }
            self.file = file
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard try await context.records.exists(input.record, in: input.module) else { throw Rejection.invalidPathID(1) }
        let fields = input.module.fields.filter(\.holdsFiles)
        guard let file = try await FileQueries(context.services).fieldFile(input.file, of: input.record, fields) else {
            throw Rejection.invalidParameter("fields_attachment_id")
        }
        return .file(file, context.services.files)
    }
}
