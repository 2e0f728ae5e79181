import Synchronization
import Wire

/// The system's clock, which a test can put forward.
package final class TestClock: Sendable {
    private let offset = Mutex<Int64>(0)

    package init() {}
    package func now() -> Instant { Instant(milliseconds: Instant.now().milliseconds + offset.withLock { $0 }) }
    package func advance(seconds: Int64) { offset.withLock { $0 += seconds * 1000 } }
}
