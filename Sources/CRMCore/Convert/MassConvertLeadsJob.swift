import Metadata
import SQLStore
import Wire

/// Converts up to fifty leads, one transaction each. Contract: convert-lead, 137 and 138.
package struct MassConvertLeadsJob: JobHandler {
    package static let kind = "mass_convert_leads"

    package init() {}

    /// `ids` with their places in the body; one that is no lead refuses all.
    package static func schedule(_ ids: [(id: RecordID, path: JSONPath)], body: JSONCursor, _ scope: WriteScope) throws -> RecordID {
        guard let leads = scope.catalog.module("Leads") else { throw Rejection.invalidModule() }
        _ = try LeadOrder(mass: body, scope.catalog)
        return try MassConversion.schedule(kind, ids, of: leads, body, scope)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let records = services.records
        try await MassConversion.run(job, services) { id, _, body, scope in
            _ = try LeadConverter(try LeadOrder(mass: body, scope.catalog), records, scope).convert(id)
        }
    }
}

/// What mass conversions have in common: records named one by one, each converted in a transaction of its own or left as it is.
enum MassConversion {
    static func schedule(
        _ kind: String, _ ids: [(id: RecordID, path: JSONPath)], of module: Module, _ body: JSONCursor, _ scope: WriteScope
    ) throws -> RecordID {
        try scope.access.require(.massConvert, module)
        let found = try Planner(scope.catalog, scope.access).rows(ids.map(\.id), of: module, for: .massConvert, locked: false, scope.tx)
        if let unknown = ids.first(where: { found[$0.id] == nil }) {
            throw found.refusal(of: unknown.id, else: .unknownRecord(at: unknown.path))
        }
        let once = Set(ids.map(\.id)).sorted()
        return try MassRun.enqueue(kind, MassSelection(module, ids: once), ["body": body.value], total: once.count, scope)
    }

    static func run(
        _ job: Job, _ services: Services, _ convert: @Sendable @escaping (RecordID, Module, JSONCursor, WriteScope) throws -> Void
    ) async throws {
        let body = JSONCursor(job.payload["more"]?["body"] ?? [:])
        // One at a time: what is locked for one lead is free again before the next.
        try await MassRun.run(job, services, batch: 1, as: .massConvert) { ids, module, scope in
            try ids.reduce(0) { done, id in
                do {
                    try scope.tx.savepoint { try convert(id, module, body, scope) }
                    return done + 1
                } catch is Rejection {
                    return done
                }
            }
        }
    }
}
