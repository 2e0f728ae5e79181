import Wire

/// How long after its end a merge can be undone. Then its journal is taken away, and what it took is free again.
package struct UndoPeriod: Sendable, Equatable {
    /// `nil` means for ever.
    package let milliseconds: Int64?

    package static let standard = UndoPeriod(days: 30)
    package static let forever = UndoPeriod(milliseconds: nil)

    package init(days: Int64) { milliseconds = days * 86_400_000 }
    private init(milliseconds: Int64?) { self.milliseconds = milliseconds }

    /// Days from 1 to 36,500, or the word `forever`.
    package init?(_ text: String) {
        if text == "forever" {
            self = .forever
        } else {
            guard let days = Int64(text), (1...36_500).contains(days) else { return nil }
            self.init(days: days)
        }
    }

    func end(of finished: Instant) -> Instant? { milliseconds.map { Instant(milliseconds: finished.milliseconds + $0) } }
}
