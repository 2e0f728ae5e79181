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

    static let unknownRelation = Rejection(.invalidData, message: "the relation name given seems to be invalid", .resourcePathIndex(2))

    /// `idIndex` is where the id stands in the path.
    init(_ request: ParsedRequest, _ context: RequestContext, idIndex: Int = 1) throws(Rejection) {
        try self.init(
            try request.module(context), try request.recordID(index: idIndex), request.path["related_list"] ?? "", context.catalog)
    }

    init(_ module: Module, _ record: RecordID, _ name: String, _ catalog: Catalog) throws(Rejection) {
        guard let list = catalog.relatedList(name, of: module.id), !list.relations.isEmpty,
            let listed = list.listed.flatMap({ catalog.module(id: $0) }), listed.table != nil
        else { throw Self.unknownRelation }
        self.module = module
        self.record = record
        self.list = list
        self.listed = listed
    }

    /// Rows that hang on the record in any of the list's ways; `linked: false` leaves out those joined by a linking module.
    func condition(_ now: Instant, linked: Bool = true) -> Condition {
        .any(
            list.relations.compactMap { relation in
                switch relation {
                case .link where !linked, .invitations where !linked: nil
                case .invitations: .invites(record)
                case .lookups(let fields, _, let state):
                    .all([.any(fields.map { .pointsAt(field: $0, record, module.id) }), activity(state, now)])
                case .link(let link, let mine, let theirs, _):
                    .linked(link, mine: mine, theirs: theirs, record: record)
                }
            })
    }

    /// What to show of the linking rows: their fields among `names`, and for members of a campaign the `$member_info`.
    func linkValues(_ names: [Substring]?, _ context: RequestContext) -> LinkValues? {
        guard let relation = LinkRelation(list, of: module, context.catalog) else { return nil }
        let own = relation.ownFields
        var values = LinkValues(relation, record: record, fields: own.filter { field in names?.contains { $0 == field.apiName } ?? true })
        if relation.link.apiName == "Campaign_Members" { values.group = ("$member_info", own) }
        if relation.link.apiName == "Contact_Roles", let role = relation.link.field("Contact_Role") {
            values.fields = [role]
            values.labels[role.id] = ContactRoles(context.catalog).labels
        }
        return values
    }

    private static let closing = ["Tasks": "Status", "Events": "End_DateTime", "Calls": "Outgoing_Call_Status"]

    /// Open and closed parts of the activities (`metadata/related_lists.json`, "via").
    private func activity(_ state: Relation.State, _ now: Instant) -> Condition {
        let closed: Condition? =
            switch listed.apiName {
            case "Tasks": .test(field: "Status", .equal, ["Completed"])
            case "Events": .test(field: "End_DateTime", .less, [.string(now.iso(offsetMinutes: 0))])
            case "Calls": .not(.test(field: "Outgoing_Call_Status", .equal, ["Scheduled"]))
            default: nil
            }
        // Whoever may not see whether a row is closed gets both kinds in both lists.
        guard let closed, listed.field(Self.closing[listed.apiName] ?? "") != nil else { return .always }
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
