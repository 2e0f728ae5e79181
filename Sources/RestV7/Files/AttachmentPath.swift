import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the calls on a record's attachments share.
struct AttachmentPath: Sendable {
    let carrier: Module
    let attachments: Module
    let record: RecordID

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        (carrier, attachments) = try AttachmentStore.modules(request.path["module"] ?? "", context.catalog)
        record = try request.recordID()
    }

    /// The attachments that hang on the record.
    var condition: Condition {
        guard let parent = attachments.field("Parent_Id") else { return .any([]) }
        return .pointsAt(field: parent.id, record, carrier.id)
    }

    func requireRecord(_ context: RequestContext) async throws {
        guard try await context.records.exists(record, in: carrier) else { throw Rejection.invalidPathID(1) }
    }

    /// `ZohoCRM.modules.attachments.OP` beside the right on the module.
    static func scope(_ operations: [String]) -> ScopeRule {
        .all([.modules(operations), .fixed(operations.map { "ZohoCRM.modules.attachments.\($0)" })])
    }
}
