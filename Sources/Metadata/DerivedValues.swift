import Synchronization

/// What others have worked out from a catalog, kept as long as the catalog is.
package final class DerivedValues: Sendable {
    private let values = Mutex<[ObjectIdentifier: any Sendable]>([:])

    init() {}

    /// The one of its type. `make` may not ask for another.
    package func value<Value: AnyObject & Sendable>(_ make: () -> Value) -> Value {
        values.withLock { values in
            if let known = values[ObjectIdentifier(Value.self)] as? Value { return known }
            let made = make()
            values[ObjectIdentifier(Value.self)] = made
            return made
        }
    }
}
