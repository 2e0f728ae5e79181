import SQLStore
import Wire

/// Where a job tells that it has ended.
package struct Callback: Sendable, Equatable {
    package let url: String

    package init(url: String) { self.url = url }

    init?(_ kept: JSONValue?) {
        guard let url = kept?["url"]?.string else { return nil }
        self.url = url
    }
}

/// Posts a callback: at least once, with the queue's pauses between the tries.
package struct CallbackJob: JobHandler {
    package static let kind = "callback"

    package init() {}

    package func run(_ job: Job, _ services: Services) async throws {
        guard let callback = Callback(job.payload), let url = OutgoingURL(callback.url) else { return }
        let answer = try await services.outgoing.send(.post(job.payload["body"]?.encoded() ?? [], to: url))
        guard answer.isSuccess else { throw OutgoingFailure.unreachable("answered \(answer.status)") }
    }

    /// Part of the transaction that ends the job it tells of. The network is not touched here.
    static func enqueue(_ callback: Callback, _ body: JSONValue, _ id: RecordID, now: Instant, _ tx: Transaction) throws {
        try JobQueue.enqueue(kind, ["url": .string(callback.url), "body": body], id: id, at: now, tx)
    }
}
