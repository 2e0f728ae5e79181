import CRMCore
import HTTPShell
import Metadata
import Wire

/// What a call to unblock addresses says.
private struct UnblockInput: Sendable {
    let module: Module
    let ids: [RecordID]
    let fields: [String]
    let isOne: Bool

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        module = try EmailPath.module(request, context)
        guard module.apiName != "Vendors" else { throw .invalidModule() }
        isOne = request.path["id"] != nil
        let inPath = isOne ? try request.recordID() : nil
        let body = try request.json()
        let list = try body.required("unblock_fields")
        let elements = try list.elements()
        if elements.isEmpty { throw .missing("unblock_fields", at: body.path) }
        var fields: [String] = []
        for element in elements {
            let name = try element.string()
            guard Unblocking.fields.contains(name) else { throw .notAllowed(at: element.path, message: "unknown field provided") }
            guard module.field(name) != nil else {
                throw .notAllowed(at: element.path, message: "\(name.uppercased()) field not available for module")
            }
            if !fields.contains(name) { fields.append(name) }
        }
        self.fields = fields
        if let inPath {
            ids = [inPath]
        } else {
            var ids: [RecordID] = []
            for element in try body.items("ids", limit: 500) { ids.append(try element.recordID()) }
            self.ids = ids
        }
    }

    func reply(_ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try Unblocking.unblock(ids, fields, of: module, inPath: isOne, scope)
        }
        return .items("data", outcomes.map { $0.map { .success("Unblocked successfully", details: ["id": .id($0)]) } })
    }
}

/// Frees the addresses of a record. Contract: emails, 232.
enum UnblockEmail: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/unblock_email", entry: "232", scope: EmailPath.sending)

    struct Input: EndpointInput {
        fileprivate let asked: UnblockInput
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { asked = try UnblockInput(request, context) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply { try await input.asked.reply(context) }
}

/// Frees the addresses of records. Contract: emails, 232.
enum UnblockEmails: Endpoint {
    static let declaration = Declaration(.post, "/crm/v7/{module}/actions/unblock_email", entry: "232", scope: EmailPath.sending)

    struct Input: EndpointInput {
        fileprivate let asked: UnblockInput
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { asked = try UnblockInput(request, context) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply { try await input.asked.reply(context) }
}

/// Mails of records.
let emailEndpoints: [any Endpoint.Type] = [
    SendMail.self, ListEmails.self, GetEmail.self, EmailSharingDetails.self, DownloadEmailAttachment.self, DownloadInlineImage.self,
    AssociateEmail.self, ListFromAddresses.self, UnblockEmail.self, UnblockEmails.self,
]
