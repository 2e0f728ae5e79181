/// Bytes that come piece by piece and are read once.
package struct ByteStream: AsyncSequence, Sendable {
    private let start: @Sendable () -> Iterator

    package init<Source: AsyncSequence & Sendable>(_ source: Source) where Source.Element == [UInt8] {
        start = {
            var pieces = source.makeAsyncIterator()
            return Iterator { try await pieces.next() }
        }
    }

    /// Bytes that are there already.
    package init(_ bytes: [UInt8]) {
        start = {
            var rest: [UInt8]? = bytes
            return Iterator {
                defer { rest = nil }
                return rest
            }
        }
    }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let pull: () async throws -> [UInt8]?
        package mutating func next() async throws -> [UInt8]? { try await pull() }
    }

    package func makeAsyncIterator() -> Iterator { start() }

    /// All of it at once: for tests and for small bodies.
    package func collect() async throws -> [UInt8] {
        var all: [UInt8] = []
        for try await piece in self { all += piece }
        return all
    }
}
