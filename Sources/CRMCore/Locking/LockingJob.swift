import Metadata
import SQLStore
import Wire

/// Locks the records that match new rules, or frees all that a deleted configuration locked; a few hundred at a time.
package struct LockingJob: JobHandler {
    package static let kind = "record_locking"
    private static let batch = 500

    package init() {}

    static func schedule(_ configuration: RecordID, of module: ModuleID, releasing: Bool, id: RecordID, at now: Instant, _ tx: Transaction)
        throws
    {
        let payload: JSONValue = ["configuration": .id(configuration), "module": .string(String(module.raw)), "release": .bool(releasing)]
        try JobQueue.enqueue(kind, payload, id: id, at: now, tx)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let configuration = RecordID(raw: job.payload["configuration"]?.looseInt64 ?? 0)
        let moduleID = ModuleID(raw: job.payload["module"]?.looseInt64 ?? 0)
        let releasing = job.payload["release"]?.bool ?? false
        if releasing {
            try await JobQueue.countOnce(job, services) { tx in
                try tx.first("SELECT count(*) FROM sys_lock WHERE config_id = \(configuration)") { $0.integer(0) ?? 0 } ?? 0
            }
        }
        var more = true
        while more {
            try Task.checkCancellation()
            let access = AccessPolicy.system("the configuration was changed by who may change it")
            more = try await services.write(services.catalog.current(), access, .job, group: job.id) { scope in
                guard let module = scope.catalog.module(id: moduleID) else { return false }
                return releasing ? try Self.release(configuration, module, job, scope) : try Self.lock(configuration, module, job, scope)
            }
        }
    }

    /// Locked records no longer match, so each round begins where the last ended.
    private static func lock(_ id: RecordID, _ module: Module, _ job: Job, _ scope: WriteScope) throws -> Bool {
        guard let configuration = LockingConfiguration.of(module, scope.catalog), configuration.id == id, configuration.type != .manual
        else { return false }
        for rule in configuration.rules where rule.locksExisting {
            let found = try LockingRule.matching(rule, of: module, limit: batch, scope)
            try RecordLocks.set(found, of: module, id, rule: rule.id, reason: nil, scope)
            try JobQueue.advance(job.id, done: found.count, failed: 0, scope.tx)
            if found.count == batch { return true }
        }
        return false
    }

    private static func release(_ id: RecordID, _ module: Module, _ job: Job, _ scope: WriteScope) throws -> Bool {
        let found = try scope.tx.rows("SELECT record_id FROM sys_lock WHERE config_id = \(id) ORDER BY id LIMIT \(.integer(Int64(batch)))")
        {
            RecordID(raw: $0.integer(0) ?? 0)
        }
        try RecordLocks.release(found, of: module, scope)
        try JobQueue.advance(job.id, done: found.count, failed: 0, scope.tx)
        return found.count == batch
    }
}
