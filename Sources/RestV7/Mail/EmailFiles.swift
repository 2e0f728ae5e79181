import CRMCore
import HTTPShell
import Metadata
import Wire

/// What names a file of a mail.
private struct EmailFilePath: Sendable {
    let path: EmailPath
    let message: String
    let owner: UserID
    let file: String

    init(_ request: ParsedRequest, _ context: RequestContext, needing names: [String]) throws(Rejection) {
        path = try EmailPath(request, context)
        for name in names where (request.query(name) ?? "").isEmpty { throw Rejection(.mandatoryNotFound, .parameter(name)) }
        guard let user = RecordID(request.query("user_id") ?? "") else { throw .invalidParameter("user_id") }
        owner = UserID(raw: user.raw)
        message = request.query("message_id") ?? ""
        file = request.query("id") ?? ""
    }

    func reply(isInline: Bool, _ context: RequestContext) async throws -> Reply {
        let found = try await context.records.emailFile(
            file, of: message, owner: owner, isInline: isInline, record: path.record, path.module)
        guard let found else { throw Rejection.invalidPathID(1) }
        guard let id = found, let entry = try await context.services.files.file(id) else { throw Rejection.invalidParameter("id") }
        return .file(entry, context.services.files)
    }
}

/// Contract: emails, 226.
enum DownloadEmailAttachment: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/Emails/actions/download_attachments", entry: "226", scope: EmailPath.reading)

    struct Input: EndpointInput {
        fileprivate let file: EmailFilePath
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            file = try EmailFilePath(request, context, needing: ["message_id", "user_id", "id", "name"])
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await input.file.reply(isInline: false, context)
    }
}

/// Contract: emails, 227.
enum DownloadInlineImage: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/Emails/actions/download_inline_images", entry: "227", scope: EmailPath.reading)

    struct Input: EndpointInput {
        fileprivate let file: EmailFilePath
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            file = try EmailFilePath(request, context, needing: ["message_id", "user_id", "id"])
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await input.file.reply(isInline: true, context)
    }
}
