import Metadata
import SQLStore
import Wire

/// Calls an event off. It stays where it is and says so. Contract: meeting-cancel, 183.
package enum EventCancellation {
    package static let field = "$event_cancelled"

    /// `telling`: whether the participants get a mail.
    package static func cancel(_ id: RecordID, of module: Module, telling: Bool, _ store: RecordStore, _ scope: WriteScope) throws {
        do throws(Rejection) { try scope.access.require(.edit, module) } catch {
            // This call answers so, unlike others (`meeting-cancel.md`).
            throw Rejection(.noPermission, status: 400, details: (error.details.members ?? []).map { .other($0.name, $0.value) })
        }
        let planner = Planner(scope.catalog, scope.access)
        guard let event = try planner.rows([id], of: module, for: .edit, scope.tx)[id] else {
            let seen = try planner.rows([id], of: module, for: .view, locked: false, scope.tx)[id] != nil
            throw seen ? Rejection(.cannotPerformAction, .id(id)) : Rejection.invalidPathID(1)
        }
        try RecordStore.refuseIfHeld(event)
        if event[field].integer == 1 { throw refused("The event is already cancelled", id) }
        if event.list("Participants").isEmpty { throw refused("You cannot cancel the event without inviting participants", id) }
        if let end = event["End_DateTime"].integer, end < scope.now.milliseconds {
            throw refused("You cannot cancel the meeting after the meeting end time", id)
        }
        var cancelled = event
        cancelled[field] = .integer(1)
        try store.save(cancelled, before: event, scope)
        if telling { try Notices.cancelled(event, scope) }
    }

    private static func refused(_ message: String, _ id: RecordID) -> Rejection { Rejection(.notAllowed, message: message, .id(id)) }
}

extension RecordStore {
    /// Changes a record the server itself has loaded and changed: what every change carries, its rules and its log.
    func save(_ record: Record, before: Record, _ scope: WriteScope) throws {
        var batch = Batch(record.module, scope)
        batch.decode(0) { () throws(Rejection) in (PendingChange(kind: .update, before: before, after: record, path: JSONPath()), []) }
        guard let outcome = try finish(batch, count: 1, scope).first else { throw Rejection(.internalError) }
        _ = try outcome.get()
    }
}

extension Services {
    /// Organisations older than the key do not have the field yet; a request that needs it is planned again when they do.
    package func ensureEventCancellation() async throws {
        guard catalog.current().module("Events")?.field(EventCancellation.field) == nil else { return }
        try await changeMetadata { scope in
            guard let events = scope.catalog.module("Events"), events.field(EventCancellation.field) == nil else { return }
            for body in StandardHidden.fields(of: "Events") {
                try scope.add(.field, body["api_name"]?.string, StandardHidden.stored(body), parent: RecordID(raw: events.id.raw))
            }
        }
        throw CatalogMoved(newest: catalog.current().version)
    }
}
