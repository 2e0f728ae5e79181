import CRMCore
import HTTPShell
import Metadata
import Wire

/// Attaches a file, or a link to one. Contract: photos-and-attachments, 195.
enum AddAttachment: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/Attachments", entry: "195", scope: AttachmentPath.scope(["CREATE", "WRITE"]),
        bodyLimit: FileLimits.body,
        body: .upload)

    struct Input: EndpointInput {
        let path: AttachmentPath
        let link: String?
        let title: String?
        let upload: Upload?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try AttachmentPath(request, context)
            link = request.query("attachmentUrl").flatMap { $0.isEmpty ? nil : $0 }
            title = request.query("title").flatMap { $0.isEmpty ? nil : $0 }
            upload = request.upload
            if let link { try checkLink(link, title) }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        // Before the file is taken in, for nothing; and again where it counts.
        try await input.path.requireRecord(context)
        let content = try await content(input, context)
        let path = input.path
        let services = context.services
        let record = try await services.write(context.catalog, context.access, .api) { scope in
            try AttachmentStore.add(content, to: path.record, of: path.carrier, path.attachments, services.files, services.records, scope)
        }
        var result = RecordAnswers(context: context).updated(record)
        result["message"] = "attachment uploaded successfully"
        return .items("data", [.success(result)])
    }

    private static func content(_ input: Input, _ context: RequestContext) async throws -> AttachmentStore.Content {
        if let link = input.link { return .link(url: link, title: FileName(input.title ?? link).text) }
        let rules = Upload.Rules(size: FileLimits.file, tooLarge: .fileTooLarge(FileLimits.file), broken: .noFile)
        guard let received = try await input.upload?.receive(context.services.files, rules) else { throw Rejection.noFile }
        if let file = received.files.first { return .file(file) }
        func field(_ name: String) -> String? { received.fields.first { $0.name == name && !$0.value.isEmpty }?.value }
        guard let link = field("attachmentUrl") else { throw Rejection.noFile }
        try checkLink(link, field("title"))
        return .link(url: link, title: FileName(field("title") ?? link).text)
    }

    /// Only addresses a browser opens without running anything.
    private static func checkLink(_ link: String, _ title: String?) throws(Rejection) {
        let schemes = ["http://", "https://", "ftp://"]
        let plain = link.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && !$0.properties.isWhitespace }
        guard plain, link.utf8.count <= 2000, let scheme = schemes.first(where: { link.lowercased().hasPrefix($0) }),
            link.utf8.count > scheme.utf8.count
        else { throw .invalidParameter("attachmentUrl") }
        if let title, title.unicodeScalars.count > 255 { throw Rejection(.invalidData, .parameter("title"), .maximumLength(255)) }
    }
}
