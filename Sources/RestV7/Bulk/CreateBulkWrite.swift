import CRMCore
import HTTPShell
import Metadata
import Wire

/// Starts an import. Contract: bulk-write, 246.
enum CreateBulkWrite: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/bulk/v7/write", entry: "246", scope: .all([.fixed(["ZohoCRM.bulk.CREATE"]), .modules(["CREATE"])]), credits: 500)

    struct Input: EndpointInput {
        let body: BulkWriteBody
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            body = try BulkWriteBody(try request.json(), context)
            for resource in body.resources {
                let owner = BulkOwner.of(resource.module, context.catalog)?.owner ?? resource.module
                if RecordOperation.importing.isListed(for: owner) { try context.access.require(.importing, owner) }
                if body.operation != .update, owner === resource.module { try context.access.require(.create, owner) }
                if body.operation != .insert || owner !== resource.module { try context.access.require(.edit, owner) }
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let request = try await BulkWriteFiles(body: input.body, context: context).request()
        let job = try await context.services.write(context.catalog, context.access, .api) { scope in
            try BulkWriteJob.schedule(request, scope)
        }
        let details: JSONValue = ["id": .id(job), "created_by": context.shownUser(context.access.user.raw)]
        return .json(.success("success", details: details), status: 201)
    }
}

/// How far an import has come. Contract: bulk-write, 247.
enum GetBulkWrite: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/bulk/v7/write/{job_id}", entry: "247", scope: .fixed(["ZohoCRM.bulk.CREATE"]))

    typealias Input = BulkJobPath

    static func respond(_ input: BulkJobPath, _ context: RequestContext) async throws -> Reply {
        guard let job = try await context.services.bulkJob(input.id, of: context.access.user), job.operation != .read else {
            throw Rejection.noBulkJob
        }
        return .json(BulkWriteDetails.body(job, context.catalog))
    }
}

/// What became of each row, as a zip. Contract: bulk-write, 248; the path is the one its page shows.
enum DownloadBulkWrite: Endpoint {
    static let declaration = Declaration(
        .get, "/v7/crm/{org}/bulk-write/{job_id}/{file}", entry: "248", scope: .fixed(["ZohoCRM.bulk.CREATE"]))

    typealias Input = BulkJobPath

    static func respond(_ input: BulkJobPath, _ context: RequestContext) async throws -> Reply {
        guard let job = try await context.services.bulkJob(input.id, of: context.access.user), job.operation != .read,
            let result = job.result, let file = try await context.services.files.file(result)
        else { throw Rejection.noBulkJob }
        return .file(file, context.services.files)
    }
}
