/// A closure that waits for a connection, with the way to answer whoever asked.
struct Work: Sendable {
    let id: UInt64
    let mode: Database.Mode
    /// Runs the closure and returns what hands its result over: not before the commit. It may run several times.
    let attempt: @Sendable (Transaction) throws -> @Sendable () -> Void
    /// Hands an error over instead. Exactly one of the two is called, once.
    let fail: @Sendable (any Error) -> Void
}
