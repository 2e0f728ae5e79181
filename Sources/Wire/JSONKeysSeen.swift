/// Finds a repeated member name of one object without comparing every name with every other.
struct JSONKeysSeen {
    /// One bit for each slot of the key table that a name of this object has hashed to.
    private var slots = SIMD4<UInt64>()
    /// Positions by name; only made for objects so large that looking through them would be slow.
    private var positions: [String: Int] = [:]

    private static let largestSearched = 64

    /// Where the name stands already; also takes note of it.
    mutating func earlier(_ key: JSONKeyTable.Key, in members: [JSONValue.Member]) -> Int? {
        let bit: UInt64 = 1 << UInt64(key.slot & 63)
        let isNew = slots[key.slot >> 6] & bit == 0
        slots[key.slot >> 6] |= bit
        guard members.count >= Self.largestSearched else {
            return isNew ? nil : members.firstIndex { $0.name == key.name }
        }
        if positions.isEmpty {
            for (index, member) in members.enumerated() { positions[member.name] = index }
        }
        if let position = positions[key.name] { return position }
        positions[key.name] = members.count
        return nil
    }
}
