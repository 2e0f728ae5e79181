import Metadata
import SQLStore
import Wire

/// A service as an appointment needs it: its record and who gives it.
struct BookedService: Sendable {
    let record: Record
    let members: Set<Int64>
    let hours: ServiceHours?

    /// The services that changes book or have booked; two statements for a whole batch.
    static func of(_ changes: [PendingChange], _ scope: WriteScope) throws -> [RecordID: BookedService] {
        let ids = Set(changes.compactMap { $0.after["Service_Name"].integer } + changes.compactMap { $0.before?["Service_Name"].integer })
        return try load(ids.sorted().map(RecordID.init(raw:)), scope)
    }

    static func load(_ ids: [RecordID], _ scope: WriteScope) throws -> [RecordID: BookedService] {
        guard let module = scope.catalog.module("Services__s"), !ids.isEmpty else { return [:] }
        let system = Planner(scope.catalog, .system("who books a service need not see it"))
        let records = try system.rows(ids, of: module, for: .view, locked: false, scope.tx)
        var members: [RecordID: Set<Int64>] = [:]
        if let link = scope.catalog.module("Services_X_Users"), let table = link.table, let mine = link.field("Service")?.columns.first,
            let theirs = link.field("Members")?.columns.first
        {
            try scope.tx.forEach(
                "SELECT \(mine), \(theirs) FROM \(table) WHERE \(.memberIDs("\(mine)", ids.map(\.raw))) AND \(theirs) IS NOT NULL"
            ) { row in members[RecordID(raw: row.integer(0) ?? 0), default: []].insert(row.integer(1) ?? 0) }
        }
        let working = WorkingHours(scope.catalog)
        return records.byID.mapValues { record in
            BookedService(record: record, members: members[record.id] ?? [], hours: ServiceHours(record, working))
        }
    }

    var duration: Int64 { record["Duration"].integer ?? 0 }
    var inUse: Bool { record["Status"].text != "Not in Use" }

    /// Where appointments may be held.
    func takes(_ location: String) -> Bool {
        guard let offered = record["Location"].text else { return true }
        return offered == location || offered == "Business Address and Client Address"
    }

    /// Whether the time lies in the service's hours and outside of what it is unavailable for.
    func offers(_ start: Instant, _ end: Instant, _ zone: TimeZoneRule) -> Bool {
        if record["Status"].text == "Temporarily Unavailable", let from = record["Unavailable_From"].integer,
            let till = record["Unavailable_Till"].integer, start.milliseconds < till, end.milliseconds > from
        {
            return false
        }
        return hours?.contains(start, end, zone) ?? true
    }
}
