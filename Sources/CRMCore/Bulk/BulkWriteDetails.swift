import Metadata
import Wire

/// A bulk write as its status call and its callback describe it. Contract: bulk-write, 247. Here rather than with the endpoints,
/// because the callback is written in the transaction that ends the job.
package enum BulkWriteDetails {
    package static func body(_ job: BulkJob, _ catalog: Catalog) -> JSONValue {
        let request = BulkWriteRequest(kept: job.request)
        let progress = BulkWriteProgress(job.progress)
        var body: JSONValue = ["id": .id(job.id), "status": .string(word(job))]
        if let charset = request.resources.first?.head.charset { body["character_encoding"] = .string(charset.rawValue) }
        body["operation"] = .string(job.operation.rawValue)
        body["created_by"] = job.createdBy(catalog)
        body["created_time"] = job.createdTime(catalog)
        body["resource"] = .array(
            request.resources.indices.map { index in
                resource(request.resources[index], index < progress.counts.count ? progress.counts[index] : .init(), job, catalog)
            })
        switch job.state {
        case .completed: body["result"] = ["download_url": .string(path(job, catalog))]
        case .failed: body["result"] = ["error_message": job.failure ?? Rejection(.internalServerError).result]
        case .added, .running: break
        }
        if let callback = request.callback { body["callback"] = ["url": .string(callback.url), "method": "post"] }
        return body
    }

    /// The address of the result, without a host as upstream gives it.
    private static func path(_ job: BulkJob, _ catalog: Catalog) -> String {
        "/v7/crm/org\(catalog.organization["zgid"]?.string ?? "")/bulk-write/\(job.id)/\(job.id).zip"
    }

    /// The files of the result: "<Module>-<file>".
    static func entries(_ request: BulkWriteRequest, _ catalog: Catalog) -> [String] {
        request.resources.map { resource in
            let file = resource.name.split(separator: "/").last.map(String.init) ?? ""
            return "\(catalog.module(id: resource.module)?.apiName ?? "")-\(file)"
        }
    }

    private static func word(_ job: BulkJob) -> String {
        switch job.state {
        case .added: "ADDED"
        case .running: "INPROGRESS"
        case .completed: "COMPLETED"
        case .failed: "FAILED"
        }
    }

    /// The state of one file. A job that failed has not come to those behind; the SDK knows these words for files and resources.
    private static func word(_ count: BulkWriteProgress.Count, _ job: BulkJob) -> String {
        let isDone = count.total > 0 && count.done == count.total
        switch job.state {
        case .completed: return "COMPLETED"
        case .failed: return isDone ? "COMPLETED" : count.done == 0 && count.parts == 0 && count.total > 0 ? "SKIPPED" : "FAILED"
        case .added: return "ADDED"
        case .running: return isDone ? "COMPLETED" : "IN PROGRESS"
        }
    }

    private static func resource(
        _ resource: BulkWriteRequest.Resource, _ count: BulkWriteProgress.Count, _ job: BulkJob, _ catalog: Catalog
    ) -> JSONValue {
        let word = JSONValue.string(word(count, job))
        let code: JSONValue
        switch job.state {
        case .completed: code = "SUCCESS"
        case .failed: code = job.failure?["code"] ?? "INTERNAL_SERVER_ERROR"
        case .added, .running: code = "ADDED"
        }
        return [
            "status": word, "code": code, "type": "data",
            "module": catalog.module(id: resource.module).map {
                ["api_name": .string($0.apiName), "id": .string(String($0.id.raw))]
            } ?? .null,
            "field_mappings": .array(resource.mappings.map(mapping)),
            "file": [
                "status": word, "name": .string(resource.name), "added_count": .integer(count.added),
                "skipped_count": .integer(count.skipped),
                "updated_count": .integer(count.updated), "total_count": .integer(count.total),
            ],
        ]
    }

    private static func mapping(_ mapping: BulkWriteRequest.Mapping) -> JSONValue {
        [
            "api_name": .string(mapping.field), "index": mapping.index.map { .integer($0) } ?? .null,
            "format": mapping.format.map(JSONValue.string) ?? .null, "find_by": mapping.findBy.map(JSONValue.string) ?? .null,
            "module": .null, "parent_column_index": mapping.parentIndex.map { .integer($0) } ?? .null,
            "default_value": mapping.standard.map { ["value": $0] } ?? .null,
        ]
    }
}
