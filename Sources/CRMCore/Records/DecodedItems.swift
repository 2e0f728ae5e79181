import Wire

/// The items of a write as far as they are read: each is on its way or refused. Changes lie side by side and nothing else between
/// them, so that those who only read them are handed the array itself.
struct DecodedItems: Sendable {
    /// The place of each change among the items given, and the records it names.
    private(set) var numbers: [Int] = []
    var changes: [PendingChange] = []
    private(set) var references: [[RecordDecoder.Reference]] = []
    private(set) var refused: [Int: Rejection] = [:]

    init() {}

    init(reserving count: Int) {
        numbers.reserveCapacity(count)
        changes.reserveCapacity(count)
        references.reserveCapacity(count)
    }

    mutating func add(_ number: Int, _ body: () throws(Rejection) -> (PendingChange, [RecordDecoder.Reference])) {
        do throws(Rejection) {
            let (change, found) = try body()
            numbers.append(number)
            changes.append(change)
            references.append(found)
        } catch {
            refused[number] = error
        }
    }

    mutating func drop(_ rejections: [Int: Rejection]) {
        guard !rejections.isEmpty else { return }
        refused.merge(rejections) { _, new in new }
        let kept = numbers.indices.filter { rejections[numbers[$0]] == nil }
        changes = kept.map { changes[$0] }
        references = kept.map { references[$0] }
        numbers = kept.map { numbers[$0] }
    }
}
