/// Array literals as PostgreSQL reads them.
enum PostgresArray {
    static func text(_ integers: [Int64]) -> String {
        var text = "{"
        text.reserveCapacity(integers.count * 20 + 2)
        for (index, integer) in integers.enumerated() {
            if index > 0 { text += "," }
            text += String(integer)
        }
        text += "}"
        return text
    }

    static func text(_ texts: [String]) -> String {
        var text = "{"
        for (index, element) in texts.enumerated() {
            if index > 0 { text += "," }
            text += "\""
            for scalar in element.unicodeScalars {
                if scalar == "\"" || scalar == "\\" { text += "\\" }
                text.unicodeScalars.append(scalar)
            }
            text += "\""
        }
        text += "}"
        return text
    }
}
