/// JSON arrays as SQLite's `json_each` reads them.
enum JSONText {
    static func array(_ integers: [Int64]) -> String {
        var text = "["
        text.reserveCapacity(integers.count * 20 + 2)
        for (index, integer) in integers.enumerated() {
            if index > 0 { text += "," }
            text += String(integer)
        }
        text += "]"
        return text
    }

    /// Arrays of an integer and a text each.
    static func pairs(_ pairs: [(Int64, String)]) -> String {
        let inner = pairs.map { number, text in "[\(number),\(array([text]).dropFirst())" }
        return "[\(inner.joined(separator: ","))]"
    }

    static func array(_ texts: [String]) -> String {
        var text = "["
        for (index, element) in texts.enumerated() {
            if index > 0 { text += "," }
            text += "\""
            for scalar in element.unicodeScalars {
                switch scalar {
                case "\"": text += "\\\""
                case "\\": text += "\\\\"
                case _ where scalar.value < 0x20:
                    let digits = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                default: text.unicodeScalars.append(scalar)
                }
            }
            text += "\""
        }
        text += "]"
        return text
    }
}
