/// Names of domains in the letters that mail servers and name servers know (RFC 3492, with the prefix of RFC 5890). Labels are taken in
/// lower case; nothing beyond that is mapped.
enum Punycode {
    /// `nil` when a label is empty or longer than the 63 letters that a name may have.
    static func domain(_ text: String) -> String? {
        // The full stops of Chinese and Japanese part labels too (RFC 3490, 3.1).
        let labels = text.lowercased().split(omittingEmptySubsequences: false) { ".\u{3002}\u{FF0E}\u{FF61}".contains($0) }
        var encoded: [String] = []
        for label in labels {
            guard let one = self.label(label), (1...63).contains(one.utf8.count) else { return nil }
            encoded.append(one)
        }
        return encoded.joined(separator: ".")
    }

    private static func label(_ label: Substring) -> String? {
        if label.utf8.allSatisfy({ $0 < 0x80 }) { return String(label) }
        return encode(Array(label.unicodeScalars)).map { "xn--" + $0 }
    }

    private static let base = 36, least = 1, most = 26, skew = 38, damp = 700

    private static func encode(_ scalars: [Unicode.Scalar]) -> String? {
        guard scalars.count <= 63 else { return nil }
        var output = scalars.filter(\.isASCII).map { UInt8($0.value) }
        let basic = output.count
        var handled = basic
        if basic > 0 { output.append(UInt8(ascii: "-")) }
        var (code, delta, bias) = (128, 0, 72)
        while handled < scalars.count {
            guard let next = scalars.map({ Int($0.value) }).filter({ $0 >= code }).min() else { return nil }
            delta += (next - code) * (handled + 1)
            code = next
            for scalar in scalars {
                if Int(scalar.value) < code { delta += 1 }
                guard Int(scalar.value) == code else { continue }
                append(delta, bias, to: &output)
                bias = adapted(delta, count: handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            code += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func append(_ delta: Int, _ bias: Int, to output: inout [UInt8]) {
        var rest = delta
        var place = base
        while true {
            let limit = min(max(place - bias, least), most)
            if rest < limit { break }
            output.append(digit(limit + (rest - limit) % (base - limit)))
            rest = (rest - limit) / (base - limit)
            place += base
        }
        output.append(digit(rest))
    }

    private static func adapted(_ delta: Int, count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var place = 0
        while delta > (base - least) * most / 2 {
            delta /= base - least
            place += base
        }
        return place + (base - least + 1) * delta / (delta + skew)
    }

    private static func digit(_ value: Int) -> UInt8 { value < 26 ? UInt8(97 + value) : UInt8(22 + value) }
}
