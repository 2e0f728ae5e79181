import Synchronization

/// Tells tasks of a test that they may stop.
package final class Flag: Sendable {
    private let raised = Atomic<Bool>(false)

    package init() {}
    package func raise() { raised.store(true, ordering: .relaxed) }
    package var isRaised: Bool { raised.load(ordering: .relaxed) }
}
