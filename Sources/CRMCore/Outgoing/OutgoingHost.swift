/// The host and port of an address, as they may stand in one. Says nothing of whether anybody answers there.
enum OutgoingHost {
    /// `text` is what stands between the scheme, or the sign behind a user's name, and the path.
    static func isPossible(_ text: Substring) -> Bool {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            return isVersion6(text[text.index(after: text.startIndex)..<end]) && isPort(text[text.index(after: end)...])
        }
        let colon = text.firstIndex(of: ":") ?? text.endIndex
        return isName(text[..<colon]) && isPort(text[colon...])
    }

    /// Nothing, a colon alone, or a colon and a number of a port.
    private static func isPort(_ text: Substring) -> Bool {
        guard let first = text.first else { return true }
        let digits = text.dropFirst()
        guard first == ":", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        return digits.isEmpty || Int(digits).map { (1...65_535).contains($0) } == true
    }

    /// Labels as the name system has them (RFC 1123; underscores are met with), or an address of version 4. Letters of other scripts
    /// are for the look-up to judge.
    private static func isName(_ text: Substring) -> Bool {
        let name = text.hasSuffix(".") ? text.dropLast() : text
        guard !name.isEmpty, name.utf8.count <= 253 else { return false }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isSound = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.unicodeScalars.allSatisfy(isLetter)
        }
        guard isSound, let last = labels.last else { return false }
        // No top-level domain is a number, so this is an address: of one part to four, of which the last fills what is left.
        guard number(last) != nil else { return true }
        guard labels.count <= 4, labels.dropLast().allSatisfy({ number($0).map { $0 < 256 } == true }), let rest = number(last) else {
            return false
        }
        return rest < 1 << (8 * (5 - labels.count))
    }

    /// A part of an address, as look-ups read it: decimal, octal or hexadecimal.
    private static func number(_ text: Substring) -> Int? {
        let lower = text.lowercased()
        if lower.hasPrefix("0x") { return Int(lower.dropFirst(2), radix: 16) }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        // What is no octal number is none, but no name either.
        return text.hasPrefix("0") && text.utf8.count > 1 ? Int(text, radix: 8) ?? .max : Int(text) ?? .max
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_": true
        default: scalar.value > 0x9F && !scalar.properties.isWhitespace
        }
    }

    /// Up to eight groups of up to four hexadecimal digits, one gap, an address of version 4 at the end, and a zone behind it all.
    private static func isVersion6(_ text: Substring) -> Bool {
        let address = text.prefix { $0 != "%" }
        guard address.utf8.count >= 2, address.utf8.allSatisfy({ $0 == 0x3A || $0 == 0x2E || Character(Unicode.Scalar($0)).isHexDigit })
        else {
            return false
        }
        var groups = address.split(separator: ":", omittingEmptySubsequences: false)
        var count = 0
        if let last = groups.last, last.contains(".") {
            guard last.split(separator: ".", omittingEmptySubsequences: false).count == 4, isName(last) else { return false }
            groups.removeLast()
            count = 2
        }
        guard groups.allSatisfy({ $0.count <= 4 }) else { return false }
        let gaps = address.ranges(of: "::").count
        count += groups.count { !$0.isEmpty }
        return gaps == 0 ? count == 8 && !address.hasPrefix(":") && !address.hasSuffix(":") : gaps == 1 && count < 8
    }
}
