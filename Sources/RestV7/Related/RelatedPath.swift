import CRMCore
import HTTPShell
import Metadata
import Wire

/// A related list of a record, as a path names it.
struct RelatedPath: Sendable {
    let module: Module
    let record: RecordID
    let list: RelatedList
    /// The module of the listed rows.
    let listed: Module

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        module = try request.module(context)
        record = try request.recordID()
        guard let list = context.catalog.relatedList(request.path["related_list"] ?? "", of: module.id), !list.relations.isEmpty,
            let listed = list.listed.flatMap({ context.catalog.module(id: $0) }), listed.table != nil
        else { throw Rejection(.invalidData, message: "the relation name given seems to be invalid", .resourcePathIndex(2)) }
        self.list = list
        self.listed = listed
    }

    /// Rows that hang on the record in any of the list's ways.
    func condition(_ now: Instant) -> Condition {
        .any(list.relations.map { relation in
            switch relation {
            case .lookups(let fields, _, let state):
                .all([.any(fields.map { .pointsAt(field: $0, record, module.id) }), activity(state, now)])
            case .link(let link, let mine, let theirs, _):
                .linked(link, mine: mine, theirs: theirs, record: record)
            }
        })
    }

    /// Open and closed parts of the activities (`metadata/related_lists.json`, "via").
    private func activity(_ state: Relation.State, _ now: Instant) -> Condition {
        let closed: Condition? =
            switch listed.apiName {
            case "Tasks": .test(field: "Status", .equal, ["Completed"])
            case "Events": .test(field: "End_DateTime", .less, [.string(now.iso(offsetMinutes: 0))])
            case "Calls": .not(.test(field: "Outgoing_Call_Status", .equal, ["Scheduled"]))
            default: nil
            }
        guard let closed else { return .always }
        return switch state {
        case .all: .always
        case .closed: closed
        case .open: .not(closed)
        }
    }

    /// Refuses when the record is not there, or not for the caller.
    func requireRecord(_ context: RequestContext) async throws {
        guard try await context.records.exists(record, in: module) else { throw Rejection.invalidPathID(1) }
    }
}
