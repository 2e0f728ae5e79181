import CRMCore
import HTTPShell
import Metadata
import Wire

/// Asks for an export of the change log. Contract: export-audit-log, 37.
enum CreateAuditExport: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/audit_log_export", entry: "37", scope: .fixed(["ZohoCRM.settings.audit_logs.CREATE"]))

    struct Input: EndpointInput {
        let filter: AuditFilter
        let criteria: JSONValue

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let item = try Self.item(request)
            guard let item else {
                filter = AuditFilter([])
                criteria = .null
                return
            }
            _ = try item.object()
            let given = try item.required("criteria")
            filter = try AuditCriteria(context).filter(given)
            criteria = given.value
        }

        /// Without a body, or without the array, everything is asked for.
        private static func item(_ request: ParsedRequest) throws(Rejection) -> JSONCursor? {
            guard !request.body.isEmpty else { return nil }
            let body = try request.json()
            _ = try body.object()
            guard let array = body.optional("audit_log_export"), !array.value.isNull else { return nil }
            let items = try array.elements()
            guard items.count <= 1 else {
                throw Rejection(.limitExceeded, .apiName("audit_log_export"), .jsonPath(array.path), .other("limit", 1))
            }
            return items.first
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let id = try await AuditExports(context.services, context.catalog).schedule(
            input.filter, criteria: input.criteria, by: context.access.user)
        return .items("audit_log_export", [.success(id)], saying: "audit log export scheduled", code: "SCHEDULED")
    }
}

/// Exports and what can be downloaded of them. Contract: export-audit-log, 38.
enum ListAuditExports: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/audit_log_export", entry: "38", scope: .fixed(["ZohoCRM.settings.audit_logs.READ"]))
    typealias Input = NoInput

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        AuditAnswers.exports(try await AuditExports(context.services, context.catalog).list(for: context.access.user), context)
    }
}

enum GetAuditExport: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/audit_log_export/{id}", entry: "38", scope: .fixed(["ZohoCRM.settings.audit_logs.READ"]))

    struct Input: EndpointInput {
        let id: RecordID?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { id = request.path["id"].flatMap { RecordID($0) } }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let id = input.id else { return .nothing }
        return AuditAnswers.exports(try await AuditExports(context.services, context.catalog).list(id, for: context.access.user), context)
    }
}

/// The file of an export. Contract: export-audit-log, 39.
enum DownloadAuditExport: Endpoint {
    static let declaration = Declaration(
        .get, "/v2/crm/{zgid}/auditlog/{job}/{name}", entry: "39", scope: .fixed(["ZohoFiles.files.READ"]))

    struct Input: EndpointInput {
        let job: RecordID
        let name: String

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            guard request.path["zgid"] == context.organisationID, let job = request.path["job"].flatMap({ RecordID($0) }),
                let name = request.path["name"]
            else { throw Rejection(.invalidURLPattern) }
            self.job = job
            self.name = name
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let exports = AuditExports(context.services, context.catalog)
        guard let entry = try await exports.file(input.job, named: input.name, for: context.access.user) else {
            throw Rejection(.invalidURLPattern)
        }
        return .file(entry, context.services.files)
    }
}

package let auditEndpoints: [any Endpoint.Type] = [
    CreateAuditExport.self, ListAuditExports.self, GetAuditExport.self, DownloadAuditExport.self,
]

/// How exports are shown.
enum AuditAnswers {
    static func exports(_ exports: [AuditExports.Export], _ context: RequestContext) -> Reply {
        guard !exports.isEmpty else { return .nothing }
        func time(_ instant: Instant?) -> JSONValue {
            instant.map { .string($0.iso(offsetMinutes: context.zone.offsetMinutes(at: $0))) } ?? .null
        }
        let shown = exports.map { export -> JSONValue in
            [
                "id": .id(export.id), "status": .string(status(export.state)), "job_start_time": time(export.beganAt),
                "job_end_time": time(export.finishedAt), "expiry_date": time(export.expiresAt),
                "created_by": [
                    "name": .string(context.catalog.user(export.user)?.fullName ?? ""), "id": .string(String(export.user.raw)),
                ],
                "criteria": export.criteria,
                "download_links": .array(
                    export.files.map {
                        .string("\(context.baseURL)/v2/crm/\(context.organisationID)/auditlog/\(export.id)/\(PercentCoding.encode($0))")
                    }),
            ]
        }
        return .json(["audit_log_export": .array(shown)])
    }

    private static func status(_ state: JobProgress.State) -> String {
        switch state {
        case .waiting: "scheduled"
        case .running: "progress"
        case .done: "finished"
        case .failed: "failed"
        }
    }
}
