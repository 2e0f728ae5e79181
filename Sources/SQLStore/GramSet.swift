/// A set of grams as numbers, 21 bits for each scalar. It is emptied for each record without touching its memory, and hashes by one
/// multiplication: there are some sixty grams in a record, and thousands of records in a bulk write.
struct GramSet {
    /// Zero is no gram.
    private var grams: [UInt64]
    /// The record in which each place was filled.
    private var rounds: [UInt32]
    private var round: UInt32 = 1
    private var mask: Int
    private(set) var count = 0

    init() {
        mask = 1_023
        grams = Array(repeating: 0, count: 1_024)
        rounds = Array(repeating: 0, count: 1_024)
    }

    mutating func removeAll() {
        count = 0
        round &+= 1
        // After four thousand million records old marks would come to life again.
        if round == 0 { self = GramSet() }
    }

    /// Whether it is new.
    mutating func insert(_ gram: UInt64) -> Bool {
        if count * 2 > mask { grow() }
        var place = place(of: gram)
        while rounds[place] == round {
            if grams[place] == gram { return false }
            place = (place + 1) & mask
        }
        grams[place] = gram
        rounds[place] = round
        count += 1
        return true
    }

    private func place(of gram: UInt64) -> Int { Int(truncatingIfNeeded: (gram &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask }

    private mutating func grow() {
        let held = zip(grams, rounds).filter { $0.1 == round }.map(\.0)
        mask = mask * 2 + 1
        grams = Array(repeating: 0, count: mask + 1)
        rounds = Array(repeating: 0, count: mask + 1)
        count = 0
        for gram in held { _ = insert(gram) }
    }
}
