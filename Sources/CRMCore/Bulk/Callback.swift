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

/// Speaks to the outside for a job. The program brings one; tests bring their own.
package protocol CallbackSender: Sendable {
    /// Posts JSON. Throws unless the other side answers with success.
    func post(_ body: [UInt8], to url: String) async throws
}

/// Of a server that may not speak to others: a callback asked for fails, and the job it tells of does not.
package struct NoCallbacks: CallbackSender {
    package struct Refused: Error {}
    package init() {}
    package func post(_ body: [UInt8], to url: String) async throws { throw Refused() }
}

/// Posts a callback: at least once, with the queue's pauses between the tries.
package struct CallbackJob: JobHandler {
    package static let kind = "callback"

    package init() {}

    package func run(_ job: Job, _ services: Services) async throws {
        guard let callback = Callback(job.payload) else { return }
        try await services.callbacks.post(job.payload["body"]?.encoded() ?? [], to: callback.url)
    }

    /// Part of the transaction that ends the job it tells of. The network is not touched here.
    static func enqueue(_ callback: Callback, _ body: JSONValue, _ id: RecordID, now: Instant, _ tx: Transaction) throws {
        try JobQueue.enqueue(kind, ["url": .string(callback.url), "body": body], id: id, at: now, tx)
    }
}
