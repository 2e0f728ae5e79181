/// Number texts: the shortest one of a double, and the double of one.
enum JSONNumber {
    /// The shortest text that reads back as the same finite value, without an exponent for magnitudes from 1e-7 up to
    /// 1e21 (the range JavaScript prints plainly). A whole number has no point.
    static func text(of value: Double) -> String {
        if let whole = Int64(exactly: value), abs(value) < 9e15 { return String(whole) }
        let shortest = value.description
        let body = shortest.utf8.drop { $0 == UInt8(ascii: "-") }
        let sign = value < 0 ? "-" : ""
        guard let mark = body.firstIndex(of: UInt8(ascii: "e")), let exponent = Int(shortest[mark...].dropFirst()) else {
            return withoutZeroFraction(shortest)
        }
        guard (-7..<21).contains(exponent) else { return shortest }
        let digits = String(decoding: body[..<mark].filter { $0 != UInt8(ascii: ".") }, as: UTF8.self)
        return sign + plain(digits, exponent: exponent)
    }

    /// The value of a JSON number text; nil when it is infinite as a double.
    static func double(of text: String) -> Double? {
        if let exact = exactDouble(of: text) { return exact }
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    private static func withoutZeroFraction(_ text: String) -> String {
        text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// Digits whose point belongs after the first one, moved by the exponent.
    private static func plain(_ digits: String, exponent: Int) -> String {
        if exponent < 0 {
            return "0." + String(repeating: "0", count: -exponent - 1) + digits
        }
        let whole = exponent + 1
        if digits.count <= whole {
            return digits + String(repeating: "0", count: whole - digits.count)
        }
        let fraction = digits.dropFirst(whole)
        return fraction.allSatisfy { $0 == "0" } ? String(digits.prefix(whole)) : digits.prefix(whole) + "." + fraction
    }

    /// Up to 15 digits and 22 decimal places: both parts are exact doubles, so one division rounds correctly.
    private static func exactDouble(of text: String) -> Double? {
        var digits: Int64 = 0
        var count = 0
        var places = 0
        var negative = false
        var afterPoint = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits = digits &* 10 &+ Int64(byte &- UInt8(ascii: "0"))
                count += 1
                if afterPoint { places += 1 }
            case UInt8(ascii: "."): afterPoint = true
            case UInt8(ascii: "-"): negative = true
            default: return nil
            }
            if count > 15 { return nil }
        }
        let value = Double(digits) / powersOfTen[places]
        return negative ? -value : value
    }

    /// Powers of ten that are exact as doubles, as far as 15 digits can need them.
    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]
}
