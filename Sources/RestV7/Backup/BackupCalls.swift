import CRMCore
import HTTPShell
import Metadata
import Wire

/// Schedules a backup, or takes one at once. Contract: data-backup, 239.
enum ScheduleBackup: Endpoint {
    static let declaration = Declaration(.post, "/crm/bulk/v7/backup", entry: "239", scope: BackupCalls.scope("CREATE"))

    struct Input: EndpointInput {
        let rule: BackupRule?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try BackupCalls.requireAdministrator(context)
            guard !request.body.isEmpty else {
                rule = nil
                return
            }
            let body = try request.json()
            _ = try body.object()
            guard let backup = body.optional("backup"), !backup.value.isNull else {
                rule = nil
                return
            }
            _ = try backup.object()
            guard let given = backup.optional("rrule"), !given.value.isNull else {
                rule = nil
                return
            }
            guard let read = BackupRule(try given.string(max: 200)) else { throw .invalid(at: given.path) }
            rule = read
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let id = try await Backups(context.services).schedule(input.rule, by: context.access.user)
        return .json(["backup": .success("Backup scheduled successfully.", details: ["id": .id(id)])])
    }
}

/// The backup scheduled last. Contract: data-backup, 240.
enum GetBackup: Endpoint {
    static let declaration = Declaration(.get, "/crm/bulk/v7/backup", entry: "240", scope: BackupCalls.scope("READ"))
    typealias Input = BackupCalls.ForAdministrators

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let backup = try await Backups(context.services).details() else { return .nothing }
        return .json([
            "backup": [
                "id": .id(backup.id), "status": .string(backup.status.rawValue), "rrule": backup.rule.map { .string($0.text) } ?? .null,
                "start_date": BackupCalls.time(backup.startAt, context), "scheduled_date": BackupCalls.time(backup.nextAt, context),
                "requester": BackupCalls.person(backup.requester, context),
            ]
        ])
    }
}

/// What happened to backups within a year. Contract: data-backup, 241.
enum BackupHistory: Endpoint {
    static let declaration = Declaration(.get, "/crm/bulk/v7/backup/history", entry: "241", scope: BackupCalls.scope("READ"))

    struct Input: EndpointInput {
        let page: NumberedPage

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try BackupCalls.requireAdministrator(context)
            page = try NumberedPage(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = try await Backups(context.services).history(skipping: input.page.skipped, limit: input.page.perPage)
        guard !found.entries.isEmpty else { return .nothing }
        let entries = found.entries.map { entry -> JSONValue in
            [
                "id": .id(entry.id), "done_by": BackupCalls.person(entry.user, context), "log_time": BackupCalls.time(entry.at, context),
                "state": entry.state.map { .string($0) } ?? .null, "action": entry.action.map { .string($0) } ?? .null,
                "repeat_type": .string(entry.repeatType), "file_name": entry.fileName.map { .string($0) } ?? .null,
                // Backups are not bought here.
                "count": 0,
            ]
        }
        return .json([
            "history": .array(entries),
            "info": input.page.info(entries.count, more: found.more),
        ])
    }
}

/// Where the newest backup can be downloaded. Contract: data-backup, 243.
enum BackupLinks: Endpoint {
    static let declaration = Declaration(.get, "/crm/bulk/v7/backup/urls", entry: "243", scope: BackupCalls.scope("READ"))
    typealias Input = BackupCalls.ForAdministrators

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let links = try await Backups(context.services).links() else { return .nothing }
        func url(_ name: String) -> JSONValue {
            .string("\(context.baseURL)/v2/crm/\(context.organisationID)/backup/\(links.job)/\(PercentCoding.encode(name))")
        }
        return .json([
            "urls": [
                "data_links": .array(links.data.map(url)), "attachment_links": .array(links.attachments.map(url)),
                "expiry_date": BackupCalls.time(links.expiresAt, context),
            ]
        ])
    }
}

/// A zip of a backup, at the address that `BackupLinks` told. Contract: data-backup, 242.
enum DownloadBackup: Endpoint {
    static let declaration = Declaration(
        .get, "/v2/crm/{zgid}/backup/{job}/{name}", entry: "242", scope: .fixed(["ZohoFiles.files.ALL"]), scopeRefusal: .invalidOAuthScope)

    struct Input: EndpointInput {
        let job: RecordID
        let name: String

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            guard context.catalog.isAdministrator(context.access.user) else { throw Rejection(.forbidden) }
            guard request.path["zgid"] == context.organisationID, let job = request.path["job"].flatMap({ RecordID($0) }),
                let name = request.path["name"]
            else { throw Rejection(.urlRuleNotConfigured) }
            self.job = job
            self.name = name
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let entry = try await Backups(context.services).file(input.job, named: input.name) else {
            throw Rejection(.urlRuleNotConfigured)
        }
        return .file(entry, context.services.files)
    }
}

/// Stops a backup that waits for its time. Contract: data-backup, 244.
enum CancelBackup: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/bulk/v7/backup/{id}/actions/cancel", entry: "244", scope: BackupCalls.scope("UPDATE"))

    struct Input: EndpointInput {
        let id: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try BackupCalls.requireAdministrator(context)
            guard let id = request.path["id"].flatMap({ RecordID($0) }) else { throw Rejection(.resourceNotFound, status: 400) }
            self.id = id
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await Backups(context.services).cancel(input.id, by: context.access.user)
        return .json(["backup": .success("Backup stopped successfully.", details: ["id": .id(input.id)])])
    }
}

package let backupEndpoints: [any Endpoint.Type] = [
    ScheduleBackup.self, GetBackup.self, BackupHistory.self, BackupLinks.self, DownloadBackup.self, CancelBackup.self,
]

/// What the calls have in common.
enum BackupCalls {
    static func scope(_ operation: String) -> ScopeRule { .fixed(["ZohoCRM.bulk.backup.\(operation)"]) }

    struct ForAdministrators: EndpointInput {
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { try requireAdministrator(context) }
    }

    /// A backup holds everything, whoever may see it. No right of a profile speaks of backups.
    static func requireAdministrator(_ context: RequestContext) throws(Rejection) {
        guard context.catalog.isAdministrator(context.access.user) else { throw Rejection(.noPermission) }
    }

    static func time(_ instant: Instant?, _ context: RequestContext) -> JSONValue {
        instant.map { .string($0.iso(offsetMinutes: context.zone.offsetMinutes(at: $0))) } ?? .null
    }

    static func person(_ id: UserID, _ context: RequestContext) -> JSONValue {
        let user = context.catalog.user(id)
        return [
            "id": .string(String(id.raw)), "name": .string(user?.fullName ?? ""), "zuid": user?.body["zuid"] ?? .string(String(id.raw)),
        ]
    }
}

extension RequestContext {
    /// The organisation's id as download addresses have it.
    var organisationID: String { catalog.organization["zgid"]?.string ?? catalog.organization["zgid"]?.int64.map(String.init) ?? "0" }
}
