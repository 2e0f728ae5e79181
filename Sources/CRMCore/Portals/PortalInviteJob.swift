import Metadata
import SQLStore
import Wire

/// Invites many, one transaction each; what came of each is kept with the job. Contract: portals, 87 and 88.
package struct PortalInviteJob: JobHandler {
    package static let kind = "portal_invite"
    /// The contract gives no number.
    package static let limit = 100

    /// One of those to be invited.
    package struct Item: Sendable {
        package let record: RecordID
        package let type: RecordID
        package let kind: PortalInvitation.Kind
        package let language: String

        package init(record: RecordID, type: RecordID, kind: PortalInvitation.Kind, language: String) {
            self.record = record
            self.type = type
            self.kind = kind
            self.language = language
        }
    }

    package init() {}

    package static func schedule(_ items: [Item], of module: Module, origin: String, _ scope: WriteScope) throws -> RecordID {
        let id = scope.ids.next()
        let listed = items.map { item -> JSONValue in
            ["id": .id(item.record), "type": .id(item.type), "kind": .string(item.kind.rawValue), "language": .string(item.language)]
        }
        let payload: JSONValue = [
            "module": .string(String(module.id.raw)), "user": .string(String(scope.access.user.raw)), "origin": .string(origin),
            "items": .array(listed), "results": [],
        ]
        try JobQueue.enqueue(kind, payload, id: id, at: scope.now, scope.tx)
        try JobQueue.setTotal(id, items.count, scope.tx)
        return id
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let user = UserID(raw: job.payload["user"]?.looseInt64 ?? 0)
        var goesOn = true
        while goesOn {
            try Task.checkCancellation()
            let catalog = services.catalog.current()
            let access = try AccessPolicy.of(user, catalog)
            goesOn = try await services.write(catalog, access, .job, group: job.id) { scope in
                guard var payload = try JobQueue.progress(job.id, kind: Self.kind, locked: true, scope.tx)?.payload else { return false }
                var results = payload["results"]?.array ?? []
                let items = payload["items"]?.array ?? []
                guard results.count < items.count else { return false }
                let (result, isDone) = try Self.invite(items[results.count], payload, scope)
                results.append(result)
                payload["results"] = .array(results)
                try JobQueue.advance(job.id, done: isDone ? 1 : 0, failed: isDone ? 0 : 1, payload: payload, scope.tx)
                return results.count < items.count
            }
        }
    }

    private static func invite(_ item: JSONValue, _ payload: JSONValue, _ scope: WriteScope) throws -> (JSONValue, Bool) {
        let id = RecordID(raw: item["id"]?.looseInt64 ?? 0)
        do {
            guard let module = scope.catalog.module(id: ModuleID(raw: payload["module"]?.looseInt64 ?? 0)) else {
                throw Rejection.invalidModule()
            }
            let type = item["type"]?.looseInt64.flatMap { PortalInvitation.type(RecordID(raw: $0), for: module.id, scope.catalog) }
            guard let type else { throw Rejection(.invalidData, .apiName("user_type_id")) }
            let kind = item["kind"]?.string.flatMap(PortalInvitation.Kind.init(rawValue:)) ?? .invite
            let invitation = PortalInvitation(
                kind, as: type, language: item["language"]?.string ?? "en_US", origin: payload["origin"]?.string ?? "")
            try scope.tx.savepoint { try invitation.send(to: id, of: module, scope) }
            return (.success(message, details: ["id": .id(id)]), true)
        } catch let rejection as Rejection {
            var result = rejection.result
            var details = rejection.details
            details["id"] = .id(id)
            result["details"] = details
            return (result, false)
        }
    }

    package static let message = "An Invite has been sent to the personality."
}

extension PortalInviteJob {
    package struct Status: Sendable {
        package let job: RecordID
        /// `nil` while it runs.
        package let results: [JSONValue]?
    }

    /// The jobs of a module that a user has started, newest first; only that one where `job` is given. At most 100.
    package static func list(of module: Module, by user: UserID, only job: RecordID?, _ services: Services) async throws -> [Status] {
        let one: SQL = job.map { " AND id = \($0)" } ?? ""
        let rows = try await services.database.run(.read) { tx in
            try tx.rows("SELECT id, state, payload FROM sys_job WHERE kind = \(.text(kind))\(one) ORDER BY id DESC LIMIT 1000") { row in
                (RecordID(raw: row.integer(0) ?? 0), row.text(1) ?? "", try JSONValue.parse(row.text(2) ?? "null"))
            }
        }
        let own = rows.filter { $0.2["module"]?.looseInt64 == module.id.raw && $0.2["user"]?.looseInt64 == user.raw }
        return own.prefix(100).map { id, state, payload in
            Status(job: id, results: ["done", "failed"].contains(state) ? payload["results"]?.array ?? [] : nil)
        }
    }
}

/// Takes more users out of a portal than one call does. Contract: portals, 92.
package struct PortalUserDeleteJob: JobHandler {
    package static let kind = "portal_user_delete"
    /// As many go at once (92).
    package static let limit = 499

    package init() {}

    package static func schedule(_ ids: [RecordID], of type: PortalUserType, _ scope: WriteScope) throws -> RecordID {
        let id = scope.ids.next()
        let payload: JSONValue = [
            "type": .id(type.id), "user": .string(String(scope.access.user.raw)), "ids": .array(Set(ids).sorted().map { .id($0) }),
        ]
        try JobQueue.enqueue(kind, payload, id: id, at: scope.now, scope.tx)
        try JobQueue.setTotal(id, Set(ids).count, scope.tx)
        return id
    }

    /// What is gone already is gone: it begins anew each time.
    package func run(_ job: Job, _ services: Services) async throws {
        let user = UserID(raw: job.payload["user"]?.looseInt64 ?? 0)
        let ids = (job.payload["ids"]?.array ?? []).compactMap { $0.looseInt64.map(RecordID.init(raw:)) }
        for start in stride(from: 0, to: ids.count, by: Self.limit) {
            try Task.checkCancellation()
            let catalog = services.catalog.current()
            let access = try AccessPolicy.of(user, catalog)
            let some = Array(ids[start..<min(start + Self.limit, ids.count)])
            try await services.write(catalog, access, .job, group: job.id) { scope in
                guard let type = PortalUserType.find(RecordID(raw: job.payload["type"]?.looseInt64 ?? 0), scope.catalog) else { return }
                let gone = try PortalUsers.delete(some, of: type, scope).count { (try? $0.get()) != nil }
                try JobQueue.advance(job.id, done: gone, failed: 0, scope.tx)
            }
        }
    }
}
