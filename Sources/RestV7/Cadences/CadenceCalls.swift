import CRMCore
import HTTPShell
import Metadata
import Wire

/// The cadences of the organisation. Contract: cadences, 64.
enum ListCadences: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/automation/cadences", entry: "64", scope: .fixed(["ZohoCRM.settings.cadences.READ"]))

    struct Input: EndpointInput {
        let page: NumberedPage
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: SettingsPermission.cadences)
            page = try NumberedPage(request)
        }
    }

    /// An organisation has no more of them than one page holds.
    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = context.catalog.documents(.cadence).map { CadenceAnswer.json($0, inFull: false) }
        guard !found.isEmpty, input.page.page == 1 else { return .nothing }
        let info: JSONValue = [
            "per_page": .integer(CadenceReader.limit), "count": .integer(found.count), "page": 1, "more_records": false,
        ]
        return .json(["cadences": .array(found), "info": info])
    }
}

/// The body of the two calls that enrol and un-enrol.
struct EnrolmentBody: EndpointInput {
    let module: Module
    let cadences: [(id: RecordID, path: JSONPath)]
    let ids: [(id: RecordID, path: JSONPath)]

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        module = try request.writtenModule(context)
        guard Cadence.supports(module) else { throw .invalidModule() }
        let body = try request.json()
        ids = try Self.read("ids", body, limit: CadenceEnrolment.mostRecords)
        cadences = try Self.read("cadences_ids", body, limit: CadenceEnrolment.mostCadences)
    }

    private static func read(_ name: String, _ body: JSONCursor, limit: Int) throws(Rejection) -> [(id: RecordID, path: JSONPath)] {
        let given = try body.required(name)
        let elements = try given.elements()
        if elements.isEmpty { throw .missing(name, at: body.path) }
        guard elements.count <= limit else {
            throw Rejection(
                .limitExceeded, .other("limit", .integer(limit)),
                .other("limit_due_to", [["api_name": .string(name), "json_path": .string(given.path.description)]]))
        }
        var read: [(id: RecordID, path: JSONPath)] = []
        for element in elements { read.append((try element.recordID(), element.path)) }
        return read
    }

    static func reply(_ outcomes: [CadenceEnrolment.Outcome], _ message: String) -> Reply {
        .items(
            "data",
            outcomes.map { outcome in
                outcome.map { record, cadences in
                    let named = cadences.map { cadence -> JSONValue in ["name": .string(cadence.name), "id": .id(cadence.id)] }
                    return .success(message, details: ["cadences": .array(named), "id": .id(record)])
                }
            })
    }
}

/// Enrols records. Contract: cadences, 65.
enum EnrolInCadences: Endpoint {
    static let declaration = Declaration(.post, "/crm/v7/{module}/actions/enrol_in_cadences", entry: "65", scope: .modules(["CREATE"]))

    static func respond(_ input: EnrolmentBody, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try CadenceEnrolment(input.cadences, of: input.module, entering: true, scope).enrol(input.ids)
        }
        return EnrolmentBody.reply(outcomes, "records manually enrolled")
    }
}

/// Takes records out. Contract: cadences, 66.
enum UnenrolFromCadences: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/actions/unenrol_from_cadences", entry: "66", scope: .modules(["CREATE"]))

    static func respond(_ input: EnrolmentBody, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try CadenceEnrolment(input.cadences, of: input.module, entering: false, scope).unenrol(input.ids)
        }
        return EnrolmentBody.reply(outcomes, "records manually unenrolled")
    }
}

let cadenceEndpoints: [any Endpoint.Type] =
    CadenceFamily.endpoints + [ListCadences.self, ListEnrolments.self, EnrolInCadences.self, UnenrolFromCadences.self]
