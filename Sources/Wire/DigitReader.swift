/// Reads fixed-width date and time texts from left to right.
struct DigitReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    var isAtEnd: Bool { position == bytes.count }

    /// Exactly that many ASCII digits.
    mutating func digits(_ count: Int) -> Int? {
        guard position + count <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[position..<position + count] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        position += count
        return value
    }

    /// Exactly that many digits, with a value in the range.
    mutating func digits(_ count: Int, in range: ClosedRange<Int>) -> Int? {
        guard let value = digits(count), range.contains(value) else { return nil }
        return value
    }

    /// Takes the character if it is next.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, UInt32(bytes[position]) == character.value else { return false }
        position += 1
        return true
    }

    /// `yyyy-MM-dd`, a real day.
    mutating func day() -> CivilDay? {
        guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2) else { return nil }
        return CivilDay(year: year, month: month, day: day)
    }
}
