/// How numbers are written in a file: which sign stands before the decimals, and which between groups of digits. Written as a number
/// of `#` and `0`, such as `#,##0.00`, `#.##0,00` or `# ##0,00`.
package struct NumberPattern: Sendable {
    private let decimal: Unicode.Scalar
    /// Signs that may stand between groups.
    private let groups: Set<Unicode.Scalar>

    /// A point, and commas between groups where somebody wrote them.
    package static let usual = NumberPattern(decimal: ".", groups: [","])

    private static let signs: Set<Unicode.Scalar> = [".", ",", " ", "'", "\u{A0}", "\u{202F}", "\u{2019}"]
    /// Blanks, and apostrophes, are written in more than one way.
    private static let alike: [Set<Unicode.Scalar>] = [[" ", "\u{A0}", "\u{202F}"], ["'", "\u{2019}"]]

    private init(decimal: Unicode.Scalar, groups: Set<Unicode.Scalar>) {
        self.decimal = decimal
        self.groups = groups
    }

    /// `nil` when it is no such pattern. A single sign is that of groups when three digits stand behind it, and else of decimals.
    package init?(_ pattern: String) {
        let scalars = Array(pattern.unicodeScalars)
        let places = scalars.indices.filter { scalars[$0] != "#" && scalars[$0] != "0" }
        guard scalars.count > places.count, places.allSatisfy({ Self.signs.contains(scalars[$0]) }), places.first != 0 else { return nil }
        var decimal: Unicode.Scalar?
        var group: Unicode.Scalar?
        let kinds = Set(places.map { scalars[$0] })
        switch (kinds.count, places.last) {
        case (0, _): break
        case (1, let last?):
            let isGroup = places.count > 1 || scalars.count - last - 1 == 3
            if isGroup { group = scalars[last] } else { decimal = scalars[last] }
        case (2, let last?):
            guard places.count(where: { scalars[$0] == scalars[last] }) == 1 else { return nil }
            decimal = scalars[last]
            group = kinds.first { $0 != scalars[last] }
        default: return nil
        }
        guard decimal.map({ $0 == "." || $0 == "," }) ?? true else { return nil }
        guard group.map({ Self.isGrouped(scalars, by: $0, decimal) }) ?? true else { return nil }
        let point: Unicode.Scalar = decimal ?? (group == "." ? "," : ".")
        self.init(
            decimal: point, groups: group.map { sign in Self.alike.first { $0.contains(sign) } ?? [sign] } ?? [])
    }

    /// Three places stand in the last group, and two or three in those between.
    private static func isGrouped(_ scalars: [Unicode.Scalar], by group: Unicode.Scalar, _ decimal: Unicode.Scalar?) -> Bool {
        let whole = scalars.prefix { $0 != decimal }
        let groups = whole.split(separator: group, omittingEmptySubsequences: false).map(\.count)
        return groups.last == 3 && groups.dropFirst().dropLast().allSatisfy { (2...3).contains($0) }
    }

    /// The number with a point and no groups; `nil` when it is not written like this.
    package func plain(_ text: String) -> String? {
        if decimal == ".", text.utf8.allSatisfy({ $0 != 0x2C && $0 != 0x20 && $0 < 0x80 && $0 != 0x27 }) { return text }
        var result = String.UnicodeScalarView()
        // How many digits stand in the group that is being read, and whether a sign stood before it.
        var (count, isGrouped, isFraction) = (0, false, false)
        for (index, scalar) in text.unicodeScalars.enumerated() {
            switch scalar {
            case "0"..."9":
                count += 1
                result.append(scalar)
            case "-", "+":
                guard index == 0 else { return nil }
                if scalar == "-" { result.append(scalar) }
            case decimal:
                guard !isFraction, !isGrouped || count == 3 else { return nil }
                isFraction = true
                result.append(".")
            case _ where groups.contains(scalar):
                // In some countries only the last group has three digits, and those before it have two.
                guard !isFraction, isGrouped ? (2...3).contains(count) : (1...3).contains(count) else { return nil }
                (count, isGrouped) = (0, true)
            default: return nil
            }
        }
        guard count > 0 || isFraction, isFraction || !isGrouped || count == 3 else { return nil }
        if result.last == "." { result.append("0") }
        return String(result)
    }
}
