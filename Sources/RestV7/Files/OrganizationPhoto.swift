import CRMCore
import HTTPShell
import Metadata
import Wire

/// Replaces the organisation's photo. Contract: organization, 111.
enum SetOrganizationPhoto: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/org/photo", entry: "111", scope: .fixed(["ZohoCRM.org.CREATE", "ZohoCRM.org.WRITE"]), bodyLimit: FileLimits.body,
        body: .upload)

    struct Input: EndpointInput {
        let upload: Upload?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { upload = request.upload }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let image = try await PhotoUpload.receive(input.upload, limit: FileLimits.organizationPhoto, context)
        try await PhotoStore.setOrganization(image, by: context.access.user, context.services)
        return .json(.success("photo uploaded successfully"))
    }
}

/// The organisation's photo. Contract: organization, 112.
enum GetOrganizationPhoto: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/org/photo", entry: "112", scope: .fixed(["ZohoCRM.org.READ"]))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        let library = context.services.files
        guard let token = context.catalog.organization["photo_id"]?.string, let file = try await library.file(token: token) else {
            return .nothing
        }
        return .file(file, library)
    }
}

/// Takes the organisation's photo away. Contract: organization, 113; its message is not known.
enum DeleteOrganizationPhoto: Endpoint {
    static let declaration = Declaration(.delete, "/crm/v7/org/photo", entry: "113", scope: .fixed(["ZohoCRM.org.DELETE"]))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        try await PhotoStore.setOrganization(nil, by: context.access.user, context.services)
        return .json(.success("Photo deleted"))
    }
}
