import CRMCore
import HTTPShell
import Metadata
import Wire

/// Who is enrolled in a cadence, and which steps could not be done. An extension of ours (`docs/cadences.md`).
enum ListEnrolments: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/automation/cadences/{id}/enrolments", entry: "", scope: .fixed(["ZohoCRM.settings.cadences.READ"]))

    struct Input: EndpointInput {
        let cadence: RecordID
        let refusedOnly: Bool
        let page: NumberedPage

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: SettingsPermission.cadences)
            guard let id = request.path["id"].flatMap({ RecordID($0) }) else { throw .invalidPathID(0) }
            cadence = id
            switch request.query("refused") {
            case nil, "", "false": refusedOnly = false
            case "true": refusedOnly = true
            default: throw .invalidParameter("refused")
            }
            page = try NumberedPage(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard
            let found = try await CadenceReport(context.services).page(
                of: input.cadence, refusedOnly: input.refusedOnly, skipping: input.page.skipped, limit: input.page.perPage)
        else { throw Rejection.invalidPathID(0) }
        guard !found.enrolments.isEmpty else { return .nothing }
        let enrolments = found.enrolments.map { one -> JSONValue in
            [
                "record": ["id": .id(one.record)], "steps_over": .integer(one.stepsOver), "due_time": context.shown(one.due),
                "enrolled_by": context.shownUser(one.by.raw), "enrolled_time": context.shown(one.at),
                "refused_steps": .array(one.refusals.map { shown($0, context) }),
            ]
        }
        return .json(["enrolments": .array(enrolments), "info": input.page.info(enrolments.count, more: found.more)])
    }

    /// Steps are counted from one for people.
    private static func shown(_ refusal: JSONValue, _ context: RequestContext) -> JSONValue {
        [
            "step": .integer((refusal["step"]?.int64 ?? 0) + 1),
            "time": context.shown(refusal["at"]?.int64.map(Instant.init(milliseconds:))), "code": refusal["code"] ?? .null,
            "message": refusal["message"] ?? .null, "details": refusal["details"] ?? .null,
        ]
    }
}
