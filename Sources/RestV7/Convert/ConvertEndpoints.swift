import CRMCore
import HTTPShell
import Metadata
import Wire

/// Conversions of leads and of inventory documents. Contract: convert-lead, 135 to 138; convert-inventory-records, 139 to 141.
let convertEndpoints: [any Endpoint.Type] = [
    ConvertLead.self, GetConversionOptions.self, MassConvertLeads.self, GetMassConvertLeads.self, ConvertInventory.self,
    MassConvertInventory.self, GetMassConvertInventory.self,
]

/// What the calls about conversions share.
enum ConversionCall {
    static let message = "The record has been converted successfully"
    /// Most records of one job (138, 140).
    static let massLimit = 50

    /// The one item of a body.
    static func item(_ request: ParsedRequest) throws(Rejection) -> JSONCursor {
        try request.json().required("data").elements(1...1)[0]
    }

    /// The record ids of a mass conversion, with their places.
    static func ids(_ body: JSONCursor) throws(Rejection) -> [(id: RecordID, path: JSONPath)] {
        let given = try body.required("ids")
        let elements = try given.elements()
        if elements.isEmpty { throw .missing("ids", at: body.path) }
        guard elements.count <= massLimit else {
            throw Rejection(
                .limitExceeded, .other("limit", .integer(massLimit)),
                .other("limit_due_to", [["api_name": "ids", "json_path": .string(given.path.description)]]), .apiName("ids"),
                .jsonPath(given.path))
        }
        var ids: [(RecordID, JSONPath)] = []
        for element in elements { ids.append((try element.recordID(), element.path)) }
        return ids
    }

    /// Runs a conversion. What is wrong with the record of the path, or with the caller, is said bare; what is wrong with the body
    /// inside the wrapper.
    static func reply(_ convert: () async throws -> JSONValue) async throws -> Reply {
        do {
            return .items("data", [.success(.success(message, details: try await convert()))])
        } catch let rejection as Rejection {
            let isBare = rejection.details["resource_path_index"] != nil || rejection.code == .noPermission
            return isBare ? .rejected(rejection) : .wrapped("data", rejection)
        }
    }

    static func scheduled(_ job: RecordID, status: Int = 200) -> Reply {
        .json(.success("Mass Convert scheduled successfully", code: "SCHEDULED", details: ["job_id": .id(job)]), status: status)
    }

    /// The job of a status call; nobody learns of jobs of another module.
    static func progress(_ kind: String, _ module: Module, _ job: RecordID?, _ context: RequestContext) async throws -> JobProgress {
        guard let found = try await MassCall.progress(kind, module, job, context) else { throw Rejection.invalidParameter("job_id") }
        return found
    }

    static func job(_ request: ParsedRequest) throws(Rejection) -> RecordID? {
        guard let text = request.query("job_id")?.filter({ $0 != " " }), !text.isEmpty else { throw .missingParameter("job_id") }
        return RecordID(text)
    }
}

extension JobProgress {
    /// The words of the conversion pages, which differ from those of other jobs.
    var conversionWord: String { state == .running ? "IN PROGRESS" : state.word }

    /// Those not looked at yet.
    var left: Int64 { max(0, total - done - failed) }
}
