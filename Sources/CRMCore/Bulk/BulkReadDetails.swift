import Metadata
import Wire

/// A bulk read as its status call and its callback describe it. Contract: bulk-read, 250. Here rather than with the endpoints,
/// because the callback is written in the transaction that ends the job.
package enum BulkReadDetails {
    package static func body(_ job: BulkJob, _ catalog: Catalog) -> JSONValue { ["data": [detail(job, catalog)]] }

    private static func detail(_ job: BulkJob, _ catalog: Catalog) -> JSONValue {
        let request = BulkReadRequest(kept: job.request)
        var detail: JSONValue = ["id": .id(job.id), "operation": "read", "state": .string(word(job))]
        if let result = result(job, request) { detail["result"] = result }
        detail["query"] = query(request, catalog)
        detail["created_by"] = job.createdBy(catalog)
        detail["created_time"] = job.createdTime(catalog)
        detail["file_type"] = request.isCalendar ? "ics" : "csv"
        return detail
    }

    package static func word(_ job: BulkJob) -> String {
        switch job.state {
        case .added: job.isQueued ? "QUEUED" : "ADDED"
        case .running: "IN PROGRESS"
        case .completed: "COMPLETED"
        case .failed: "FAILURE"
        }
    }

    private static func result(_ job: BulkJob, _ request: BulkReadRequest) -> JSONValue? {
        switch job.state {
        case .added, .running: return nil
        case .failed: return ["error_message": job.failure ?? Rejection(.internalServerError).result]
        case .completed:
            let progress = BulkReadProgress(job.progress)
            var result: JSONValue = [
                "page": .integer(request.page), "per_page": .integer(progress.perPage), "count": .integer(progress.count),
                "download_url": .string("/crm/bulk/v7/read/\(job.id)/result"), "more_records": .bool(progress.more),
            ]
            if let token = progress.token { result["next_page_token"] = .string(token) }
            return result
        }
    }

    private static func query(_ request: BulkReadRequest, _ catalog: Catalog) -> JSONValue {
        var query: JSONValue = [:]
        if let fields = request.fields { query["fields"] = .array(fields.map(JSONValue.string)) }
        query["module"] =
            catalog.module(id: request.module).map {
                ["id": .string(String($0.id.raw)), "api_name": .string($0.apiName)]
            } ?? .null
        if !request.criteria.isNull { query["criteria"] = request.criteria }
        query["page"] = .integer(request.page)
        if let view = request.view { query["cvid"] = .id(view) }
        return query
    }
}

extension BulkJob {
    package func createdBy(_ catalog: Catalog) -> JSONValue {
        ["id": .string(String(user.raw)), "name": .string(catalog.user(user)?.fullName ?? "")]
    }

    package func createdTime(_ catalog: Catalog) -> JSONValue {
        let zone = catalog.user(user)?.zone ?? catalog.zone
        return .string(createdAt.iso(offsetMinutes: zone.offsetMinutes(at: createdAt)))
    }
}
