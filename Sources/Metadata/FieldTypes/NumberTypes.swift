import SQLStore
import Wire

extension FieldType {
    /// At most nine digits unless the field says otherwise; a numeric string is taken as its number.
    static let integer = whole("integer", cell: .number)
    /// Up to 18 digits, 19 where the field holds ids; a string on the wire.
    static let bigint = whole("bigint", cell: .digits)
    static let double = decimal("double")
    static let percent = decimal("percent")
    /// Excess decimals are cut off (`metadata/types.md`, "Rules per type"), after the field's rounding where it has one.
    static let currency = decimal("currency", truncates: true)

    private static func whole(_ dataType: String, cell: CellForm) -> FieldType {
        FieldType(dataType: dataType, storage: [.integer], cell: cell, comparison: .number) {
            (input: JSONCursor, field: Field, _: Catalog) throws(Rejection) in
            guard let value = input.value.wholeNumber else { throw .wrongType(dataType, at: input.path) }
            let limit = dataType == "bigint" ? (field.length == 19 ? 19 : 18) : min(field.length ?? 9, 9)
            let digits = String(value.magnitude).count
            guard digits <= limit else { throw .tooLong(limit, at: input.path) }
            return .integer(value)
        }
    }

    private static func decimal(_ dataType: String, truncates: Bool = false) -> FieldType {
        FieldType(dataType: dataType, storage: [.real], cell: .real, comparison: .number) {
            (input: JSONCursor, field: Field, _: Catalog) throws(Rejection) in
            guard let value = input.value.looseDouble else {
                throw .wrongType("double", at: input.path)
            }
            // 16 digits before the point: more would not survive a double.
            guard value.magnitude < 1e16 else { throw .tooLong(16, at: input.path) }
            guard let places = field.decimals, places <= 9 else { return .number(value) }
            return .number(truncates ? (field.rounding?.round(value, places) ?? value).cut(to: places) : value)
        }
    }
}

extension JSONValue {
    /// A whole number, or a string of one; unlike an id it may be negative.
    fileprivate var wholeNumber: Int64? {
        if case .string(let text) = self, text.hasPrefix("-") { return RecordID(text.dropFirst()).map { -$0.raw } }
        return looseInt64
    }
}

extension Double {
    /// Drops the decimals past `places`, tolerating the binary form of the ones that stay.
    package func cut(to places: Int) -> Double {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = self * scale
        let nearest = scaled.rounded()
        // Multiplying errs by an ulp or so, which for large amounts is more than any fixed tolerance.
        let kept = (scaled - nearest).magnitude < max(1e-6, 2 * scaled.ulp) ? nearest : scaled.rounded(.towardZero)
        return kept / scale
    }

    /// Rounds half away from zero to `places` decimals.
    package func rounded(to places: Int) -> Double {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        return (self * scale).rounded() / scale
    }
}

/// How a currency field rounds what it is given, and to how many decimals; `normal` does not.
package struct CurrencyRounding: Sendable {
    private let rule: FloatingPointRoundingRule
    private let precision: Int?

    init?(_ body: JSONValue) {
        switch body["currency"]?["rounding_option"]?.string {
        case "round_off": rule = .toNearestOrAwayFromZero
        case "round_up": rule = .up
        case "round_down": rule = .down
        default: return nil
        }
        precision = body["currency"]?["precision"]?.int64.map(Int.init)
    }

    func round(_ value: Double, _ decimals: Int) -> Double {
        var scale = 1.0
        for _ in 0..<min(precision ?? decimals, 9) { scale *= 10 }
        let scaled = value * scale
        let nearest = scaled.rounded()
        // What is whole but for its binary form stays.
        let rounded = (scaled - nearest).magnitude < max(1e-6, 2 * scaled.ulp) ? nearest : scaled.rounded(rule)
        return rounded / scale
    }
}
