/// Lets so many in at a time. Tests run in parallel, and each server holds connections and threads of its own.
package actor TestLimit {
    /// More than the cores, because a server in a test waits more than it works.
    package static let servers = TestLimit(8)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    package func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    package func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
