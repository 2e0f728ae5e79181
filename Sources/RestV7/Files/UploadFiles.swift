import CRMCore
import HTTPShell
import Metadata
import Wire

/// Puts files into the file system, for fields and mails to name. Contract: files, 210.
enum UploadFiles: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/files", entry: "210", scope: .fixed(["ZohoCRM.files.CREATE"]), bodyLimit: FileLimits.filesBody, body: .upload)

    struct Input: EndpointInput {
        let upload: Upload

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            if let type = request.query("type"), !type.isEmpty, type != "inline" {
                throw Rejection(.invalidData, .parameter("type"), .supportedValues(["inline"]))
            }
            guard let upload = request.upload else { throw Rejection(.failureInAttachmentHandling) }
            self.upload = upload
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let library = context.services.files
        let broken = Rejection(.failureInAttachmentHandling, .apiName("file"))
        let rules = Upload.Rules(count: FileLimits.count, size: FileLimits.file, tooLarge: .fileTooLarge(FileLimits.file), broken: broken)
        let received = try await input.upload.receive(library, rules)
        guard !received.files.isEmpty else { throw broken }
        let entries = try await library.register(received.files, owner: context.access.user)
        return .items(
            "data",
            entries.map { entry in
                // The original's message is spelled so.
                .success(
                    .success("\(entry.name) uploaded Succeessfully", details: ["name": .string(entry.name), "id": .string(entry.token)]))
            })
    }
}

/// A file of the file system. Contract: files, 209.
enum DownloadFile: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/files", entry: "209", scope: .fixed(["ZohoCRM.files.READ"]))

    struct Input: EndpointInput {
        let token: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            guard let token = request.query("id"), !token.isEmpty else { throw .missingParameter("id") }
            self.token = token
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let library = context.services.files
        guard let entry = try await library.file(token: input.token) else { return .nothing }
        return .file(entry, library)
    }
}
