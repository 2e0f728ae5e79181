@testable import Wire

/// Random values and random damage, for comparison with other implementations.
extension FixedRandom {
    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

    /// Strings that hold what JSON finds hard: escapes, controls, several planes.
    mutating func text() -> String {
        let hard: [Unicode.Scalar] = ["\"", "\\", "/", "\n", "\t", "\u{1}", "\u{1F}", "\u{7F}", "ß", "€", "日", "😀", "\u{2028}", "a", " "]
        var text = ""
        for _ in 0..<below(30) {
            text.unicodeScalars.append(below(3) == 0 ? hard[below(hard.count)] : Unicode.Scalar(UInt8(97 + below(26))))
        }
        return text
    }

    mutating func double() -> Double {
        switch below(4) {
        case 0: Double(below(2_000_000) - 1_000_000) / 100
        case 1: Double(below(1_000_000))
        case 2: Double.random(in: -1...1, using: &self) * [1e-9, 1e-3, 1, 1e6, 1e15, 1e22][below(6)]
        default: Double(bitPattern: next())
        }
    }

    mutating func json(depth: Int = 0) -> JSONValue {
        switch below(depth < 5 ? 8 : 6) {
        case 0: return .null
        case 1: return .bool(below(2) == 0)
        case 2: return .integer(Int64(bitPattern: next()))
        case 3:
            let value = double()
            return value.magnitude < 1e300 ? .real(value) : 0
        case 4, 5: return .string(text())
        case 6: return .array((0..<below(6)).map { _ in json(depth: depth + 1) })
        default:
            // A number in front keeps the names different.
            return .object((0..<below(8)).map { .init("\($0)" + text(), json(depth: depth + 1)) })
        }
    }

    /// Changes, drops, doubles or inserts a few bytes.
    mutating func damage(_ bytes: inout [UInt8]) {
        let telling = Array("{}[],:\"\\/ue0123456789-+.Etfn \n".utf8) + [0x00, 0x1F, 0x7F, 0x80, 0xC0, 0xE2, 0xED, 0xF0, 0xFF]
        for _ in 0...below(3) where !bytes.isEmpty {
            let position = below(bytes.count)
            switch below(4) {
            case 0: bytes[position] = telling[below(telling.count)]
            case 1: bytes.remove(at: position)
            case 2: bytes.insert(telling[below(telling.count)], at: position)
            default: bytes.removeSubrange(position..<min(bytes.count, position + below(8)))
            }
        }
    }
}
