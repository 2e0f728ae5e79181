import CRMCore
import HTTPShell
import Metadata
import Wire

/// The file of an attachment. Contract: photos-and-attachments, 196.
enum DownloadAttachment: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/Attachments/{attachment_id}", entry: "196", scope: AttachmentPath.scope(["READ"]))

    struct Input: EndpointInput {
        let path: AttachmentPath
        /// An id that is none finds nothing.
        let attachment: RecordID?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try AttachmentPath(request, context)
            attachment = RecordID(request.path["attachment_id"] ?? "")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await input.path.requireRecord(context)
        guard let id = input.attachment else { return .nothing }
        let mine = Query(input.path.attachments, fields: [], filter: input.path.condition.and(.ids([id])), limit: 1)
        // A link has no file of ours.
        guard try await context.records.count(mine) > 0, let file = try await FileQueries(context.services).attachment(id)?.file else {
            return .nothing
        }
        return .file(file, context.services.files)
    }
}
