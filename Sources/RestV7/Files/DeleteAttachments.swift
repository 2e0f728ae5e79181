import CRMCore
import HTTPShell
import Metadata
import Wire

/// Removes attachments of a record by their ids. Contract: photos-and-attachments, 197.
enum DeleteAttachments: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/{module}/{id}/Attachments", entry: "197", scope: AttachmentPath.scope(["DELETE"]))

    struct Input: OneOrManyInput {
        let path: AttachmentPath
        let ids: [RecordID]

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try AttachmentPath(request, context)
            ids = try request.ids()
        }

        init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try AttachmentPath(request, context)
            ids = [try request.recordID("attachment_id", index: 2)]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let path = input.path
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try AttachmentStore.delete(input.ids, of: path.record, path.carrier, path.attachments, scope)
        }
        return .items("data", outcomes.map { $0.map(RecordAnswers(context: context).deleted) })
    }
}

/// Removes the attachment of the path. Contract: photos-and-attachments, 197.
enum DeleteAttachment: ForOne {
    typealias Work = DeleteAttachments
    static let declaration = Declaration(
        .delete, "/crm/v7/{module}/{id}/Attachments/{attachment_id}", entry: "197", scope: AttachmentPath.scope(["DELETE"]))
}
