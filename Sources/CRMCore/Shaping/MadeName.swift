import Wire

/// API names of what an organisation makes: given and checked, or derived from a label (`modules.md`, section note;
/// `metadata/types.md`, "POST /settings/fields").
package enum MadeName {
    /// Letters, digits and single underscores; a letter first, no underscore last.
    package static func isValid(_ name: String, limit: Int = 50) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, first.isLetter, bytes.count <= limit, bytes.last != UInt8(ascii: "_"), !name.contains("__") else {
            return false
        }
        return bytes.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") }
    }

    /// What a label becomes: everything else turns into underscores, and the name never begins or ends with one.
    package static func derived(from label: String, limit: Int = 50) -> String {
        var bytes: [UInt8] = []
        for byte in label.utf8 {
            if byte.isLetter || byte.isDigit {
                bytes.append(byte)
            } else if bytes.last != UInt8(ascii: "_"), !bytes.isEmpty {
                bytes.append(UInt8(ascii: "_"))
            }
        }
        bytes = Array(bytes.prefix(limit))
        while bytes.last == UInt8(ascii: "_") { bytes.removeLast() }
        guard let first = bytes.first else { return "Custom" }
        let name = String(decoding: bytes, as: UTF8.self)
        return first.isLetter ? name : "C_" + name.prefix(limit - 2)
    }

    /// The derived name, with the lowest number that makes it new.
    package static func derived(from label: String, limit: Int = 50, isTaken: (String) -> Bool) -> String {
        let name = derived(from: label, limit: limit)
        if !isTaken(name) { return name }
        // Ends after as many turns as there are names taken.
        var number = 1
        while true {
            let candidate = "\(name.prefix(limit - String(number).utf8.count))\(number)"
            if !isTaken(candidate) { return candidate }
            number += 1
        }
    }

    /// Letters of any script, digits and blanks, and what `more` allows; not only blanks.
    package static func isPlainLabel(_ label: String, more: Set<Character> = []) -> Bool {
        label.contains { !$0.isWhitespace } && label.allSatisfy { $0.isLetter || $0.isNumber || $0 == " " || more.contains($0) }
    }
}

extension UInt8 {
    fileprivate var isLetter: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
    }
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
