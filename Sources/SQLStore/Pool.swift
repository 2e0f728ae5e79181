import Dispatch

/// The parts an open database consists of, the same for both engines.
struct Pool: Sendable {
    let engine: Database.Engine
    let reading: WorkQueue
    /// The same queue as `reading` where any connection can write.
    let writing: WorkQueue
    let slots: [ConnectionSlot]
    let hub: NotificationHub
    /// Ends last.
    let threads: ThreadGroup
    let listen: @Sendable (String) -> AsyncStream<String>
    /// Closes the queues and listeners; the threads then end by themselves. May be called twice.
    let stop: @Sendable () -> Void

    func queue(_ mode: Database.Mode) -> WorkQueue {
        switch mode {
        case .read: reading
        case .write: writing
        }
    }

    /// Waiting work is dropped. Reading work is interrupted; a running write is left to finish.
    func cancel(_ id: UInt64, _ mode: Database.Mode) {
        if let work = queue(mode).remove(id) { return work.fail(SQLFailure.cancelled) }
        // Not on the caller's thread: PostgreSQL's cancel is a connection of its own, and waits for an answer.
        if mode == .read { DispatchQueue.global().async { [slots] in for slot in slots { slot.cancel(id) } } }
    }
}
