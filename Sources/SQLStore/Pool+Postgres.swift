extension Pool {
    /// Several connections that all read and write, and one that listens. Connections are made when they are needed.
    static func postgres(_ url: String, _ options: Database.Options) async throws -> Pool {
        let count = max(1, options.readers)
        let queue = WorkQueue(limit: options.maximumQueue)
        let hub = NotificationHub()
        let listener = try PostgresListener(url, hub)
        let slots = (0..<count).map { _ in ConnectionSlot() }
        let threads = ThreadGroup(count: count + 1) {}
        let stop: @Sendable () -> Void = {
            hub.close()
            listener.stop()
            queue.close()
        }
        let open: @Sendable () throws -> PostgresDriver = {
            try PostgresDriver(url, lockTimeoutMilliseconds: options.lockTimeoutMilliseconds)
        }
        let patience = Duration.milliseconds(options.lockTimeoutMilliseconds)
        ConnectionThread.start("postgres-listener", in: threads) { listener.run() }
        for (number, slot) in slots.dropFirst().enumerated() {
            ConnectionThread.start("postgres-\(number + 1)", in: threads) {
                PostgresWorker(queue, slot, hub, observer: options.observer, patience: patience, open: open).run()
            }
        }
        do {
            try await withCheckedThrowingContinuation { opened in
                ConnectionThread.start("postgres-0", in: threads) {
                    let worker = PostgresWorker(queue, slots[0], hub, observer: options.observer, patience: patience, open: open)
                    // Fails at once if the server cannot be reached or used.
                    opened.resume(with: Result { try worker.connect() })
                    worker.run()
                }
            }
        } catch {
            stop()
            throw error
        }
        return Pool(
            engine: .postgres, reading: queue, writing: queue, slots: slots, hub: hub, threads: threads,
            listen: { listener.listen($0) }, stop: stop)
    }
}
