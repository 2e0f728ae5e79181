import Dispatch

/// Runs what blocks on a disk away from the cooperative threads.
package final class FileThread: SerialExecutor {
    private let queue = DispatchQueue(label: "tributary.file")

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    /// A single blocking step. As many run at once as the system has threads for.
    static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result(catching: body)) }
        }
    }
}

/// What the file system said to a step that had to work.
struct FileFailure: Error, CustomStringConvertible {
    let description: String
}
