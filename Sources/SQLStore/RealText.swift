/// A double's shortest exact digits in the form PostgreSQL writes: `12`, `0.5`, `1e+15`, `1.5e-07`.
///
/// Beyond 2^53, where doubles are whole and some lie exactly between two, PostgreSQL may write one digit more.
enum RealText {
    static func text(_ real: Double) -> String {
        if real.isNaN { return "NaN" }
        if real.isInfinite { return real < 0 ? "-Infinity" : "Infinity" }
        if real == 0 { return real.sign == .minus ? "-0" : "0" }
        let (digits, point) = decimal(real.magnitude)
        let sign = real < 0 ? "-" : ""
        // PostgreSQL's limits: DBL_DIG digits before the point, four zeros after it.
        guard (-3...15).contains(point) else {
            let exponent = point - 1
            let size = String(exponent.magnitude)
            let rest = digits.dropFirst()
            return sign + digits.prefix(1) + (rest.isEmpty ? "" : ".") + rest
                + (exponent < 0 ? "e-" : "e+") + (size.utf8.count < 2 ? "0" : "") + size
        }
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if digits.count <= point { return sign + digits + String(repeating: "0", count: point - digits.count) }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }

    /// The digits without leading or trailing zeros, and where among them the point stands.
    private static func decimal(_ magnitude: Double) -> (digits: String, point: Int) {
        let parts = magnitude.description.split(separator: "e")
        let number = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = number.count > 1 ? number[1] : ""
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let all = number[0] + fraction
        let leading = all.prefix { $0 == "0" }.count
        var digits = all.dropFirst(leading)
        while digits.last == "0" { digits.removeLast() }
        return (String(digits), number[0].count - leading + exponent)
    }
}
