import CRMCore
import HTTPShell
import Metadata
import Wire

/// Calls an event off. Contract: meeting-cancel, 183.
enum CancelEvent: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/Events/{event_id}/actions/cancel", entry: "183", scope: .fixed(["ZohoCRM.modules.Events.UPDATE"]))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID
        let telling: Bool

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            guard let module = context.catalog.module("Events") else { throw .invalidModule() }
            self.module = module
            id = try request.recordID("event_id")
            var telling = false
            for item in try request.json().items("data", limit: 1) { telling = try item.required("send_cancelling_mail").bool() }
            self.telling = telling
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await context.services.ensureEventCancellation()
        do {
            try await context.services.write(context.catalog, context.access, .api) { scope in
                try EventCancellation.cancel(input.id, of: input.module, telling: input.telling, context.services.records, scope)
            }
        } catch let rejection as Rejection {
            return .wrapped("data", rejection)
        }
        return .items("data", [.success(input.id)], saying: "The event is successfully cancelled")
    }
}
