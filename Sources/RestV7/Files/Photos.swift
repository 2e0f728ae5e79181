import CRMCore
import HTTPShell
import Metadata
import Wire

/// The record whose photo a path means.
struct PhotoPath: EndpointInput {
    let module: Module
    let record: RecordID
    let upload: Upload?

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        module = try PhotoStore.module(request.path["module"] ?? "", context.catalog)
        record = try request.recordID()
        upload = request.upload
    }

    func requireRecord(_ context: RequestContext) async throws {
        guard try await context.records.exists(record, in: module) else { throw Rejection.invalidPathID(1) }
    }
}

/// Gives a record its photo. Contract: photos-and-attachments, 198.
enum SetPhoto: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/photo", entry: "198", scope: .modules(["CREATE", "WRITE"]), bodyLimit: FileLimits.body, body: .upload)
    typealias Input = PhotoPath

    static func respond(_ input: PhotoPath, _ context: RequestContext) async throws -> Reply {
        try await input.requireRecord(context)
        let image = try await PhotoUpload.receive(input.upload, limit: FileLimits.photo, context)
        let files = context.services.files
        try await context.services.write(context.catalog, context.access, .api) { scope in
            try PhotoStore.set(image, of: input.record, input.module, files, scope)
        }
        return .json(.success("photo uploaded successfully"))
    }
}

/// A record's photo. Contract: photos-and-attachments, 199.
enum GetPhoto: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/{module}/{id}/photo", entry: "199", scope: .modules(["READ"]))
    typealias Input = PhotoPath

    static func respond(_ input: PhotoPath, _ context: RequestContext) async throws -> Reply {
        try await input.requireRecord(context)
        guard let photo = try await FileQueries(context.services).photo(of: input.record, input.module) else { return .nothing }
        return .file(photo, context.services.files)
    }
}

/// Takes a record's photo away. Contract: photos-and-attachments, 200.
enum DeletePhoto: Endpoint {
    static let declaration = Declaration(.delete, "/crm/v7/{module}/{id}/photo", entry: "200", scope: .modules(["DELETE"]))
    typealias Input = PhotoPath

    static func respond(_ input: PhotoPath, _ context: RequestContext) async throws -> Reply {
        let files = context.services.files
        try await context.services.write(context.catalog, context.access, .api) { scope in
            try PhotoStore.set(nil, of: input.record, input.module, files, scope)
        }
        return .json(.success("Photo deleted"))
    }
}

/// One image, within limits of bytes and of pixels.
enum PhotoUpload {
    static func receive(_ upload: Upload?, limit: Int64, _ context: RequestContext) async throws -> FileLibrary.Kept {
        let rules = Upload.Rules(size: limit, tooLarge: .photoTooLarge(limit), broken: .noFile)
        guard let kept = try await upload?.receive(context.services.files, rules).files.first else { throw Rejection.noFile }
        guard let image = kept.image else { throw Rejection(.invalidData, message: "the file is not an image", .apiName("file")) }
        guard image.pixels <= FileLimits.pixels else {
            throw Rejection(.fileSizeMoreThanAllowedSize, message: "the image has more than 10 megapixels", .apiName("file"))
        }
        return kept
    }
}
