import CRMCore
import HTTPShell
import Metadata
import Wire

/// Takes the zip of a bulk write. Contract: bulk-write, 245.
enum UploadBulkFile: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/upload", entry: "245", scope: .fixed(["ZohoFiles.files.ALL"]), bodyLimit: Int(BulkFile.zipLimit) + (1 << 20),
        body: .upload)

    struct Input: EndpointInput {
        let upload: Upload

        /// Both headers say what the upload is for, and whose it is.
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let organization = context.catalog.organization["zgid"]?.string ?? ""
            guard request.header("feature")?.lowercased() == "bulk-write", request.header("X-CRM-ORG") == organization else {
                throw Rejection(.badRequest, message: "check if headers [feature, X-CRM-ORG] are present and valid")
            }
            guard let upload = request.upload else { throw .noZip }
            self.upload = upload
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let library = context.services.files
        let tooLarge = Rejection(.fileTooLarge, message: "File size too large to process", .other("limit", .integer(BulkFile.zipLimit)))
        let received = try await input.upload.receive(library, .init(size: BulkFile.zipLimit, tooLarge: tooLarge, broken: .noZip))
        guard let file = received.files.first else { throw Rejection.noZip }
        do {
            let zip = try await BulkFile.zip(file.hash, file.size, library)
            // A zip that holds nothing is as little use as no zip.
            if zip.files.isEmpty { throw Rejection.noZip }
        } catch is ZipFailure {
            throw Rejection.noZip
        }
        let entry = try await library.register([file], owner: context.access.user)[0]
        return .json(
            .success(
                "file uploaded.", code: "FILE_UPLOAD_SUCCESS",
                details: ["file_id": .id(entry.id), "created_time": context.shown(context.now)]))
    }
}

extension Rejection {
    static var noZip: Rejection { Rejection(.invalidFileFormat, message: "invalid file format. only zip format is supported") }
}
