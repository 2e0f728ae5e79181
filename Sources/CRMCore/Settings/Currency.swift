import Metadata
import Wire

/// A currency the organisation trades in, in the form that is kept and answered. Contract: currencies.
package struct Currency: Sendable {
    package let id: RecordID
    package private(set) var body: JSONValue

    package var code: String { body["iso_code"]?.string ?? "" }
    package var symbol: String { body["symbol"]?.string ?? "" }
    package var isBase: Bool { body["is_base"]?.bool ?? false }
    package var isActive: Bool { body["is_active"]?.bool ?? false }
    package var rate: Double { body["exchange_rate"]?.string.flatMap(Double.init) ?? 1 }

    /// All of them, the base first; empty while one currency is enough.
    package static func all(_ catalog: Catalog) -> [Currency] {
        catalog.documents(.currency).map { Currency(id: $0.id, body: $0.body) }.sorted {
            ($0.isBase ? 0 : 1, $0.id) < ($1.isBase ? 0 : 1, $1.id)
        }
    }

    private init(id: RecordID, body: JSONValue) {
        self.id = id
        self.body = body
    }

    /// A new currency: name and code from the known list, a rate against the base.
    init(new item: JSONCursor, id: RecordID, base: Bool) throws(Rejection) {
        self.id = id
        let name = try item.required("name")
        let code = try item.required("iso_code")
        let rate = try item.required("exchange_rate")
        guard let known = KnownCurrency.of(try code.string()) else { throw .invalid(at: code.path, message: "ISO code is invalid.") }
        guard try name.string() == known.displayValue else { throw .invalid(at: name.path, message: "Currency name is invalid.") }
        body = [
            "name": .string(known.displayValue), "iso_code": .string(known.code), "symbol": .string(known.symbol),
            "exchange_rate": "1.000000000",
            "prefix_symbol": true, "is_active": true, "is_base": .bool(base),
            "format": ["decimal_separator": "Period", "thousand_separator": "Comma", "decimal_places": .string(known.decimals)],
        ]
        _ = rate
        try change(item)
    }

    /// What may be changed later: everything but name and code.
    mutating func change(_ item: JSONCursor) throws(Rejection) {
        _ = try item.object()
        if let symbol = given(item, "symbol") {
            let text = try symbol.string()
            // As long as the longest in use, with room.
            guard (1...10).contains(text.count) else { throw .invalid(at: symbol.path, message: "Currency symbol is invalid.") }
            body["symbol"] = .string(text)
        }
        if let rate = given(item, "exchange_rate") {
            let text = try Self.rate(rate)
            if isBase, text != "1.000000000" { throw .invalid(at: rate.path) }
            body["exchange_rate"] = .string(text)
        }
        for key in ["prefix_symbol", "is_active"] { if let flag = given(item, key) { body[key] = .bool(try flag.bool()) } }
        if isBase, !isActive { throw .notAllowed(at: item.path.appending("is_active")) }
        if let format = given(item, "format") { try change(format: format) }
    }

    private func given(_ item: JSONCursor, _ name: String) -> JSONCursor? { item.optional(name).flatMap { $0.value.isNull ? nil : $0 } }

    private mutating func change(format input: JSONCursor) throws(Rejection) {
        var format = body["format"] ?? [:]
        let allowed = [
            ("decimal_separator", ["Period", "Comma"]), ("thousand_separator", ["Period", "Comma", "Space"]),
            ("decimal_places", ["0", "2", "3"]),
        ]
        for (key, values) in allowed {
            guard let value = given(input, key) else { continue }
            guard let text = value.value.string ?? value.value.int64.map(String.init), values.contains(text) else {
                throw .unsupported(values, at: value.path)
            }
            format[key] = .string(text)
        }
        if format["decimal_separator"] == format["thousand_separator"] {
            throw .notAllowed(at: input.path, message: "the separators must differ")
        }
        body["format"] = format
    }

    /// A rate above zero with at most nine digits on either side of the point, written with all nine behind it.
    private static func rate(_ input: JSONCursor) throws(Rejection) -> String {
        let text: String
        switch input.value {
        case .string(let given): text = given
        case .number(let given): text = given
        default: throw .wrongType("text", at: input.path)
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let digits = parts.allSatisfy { $0.utf8.allSatisfy { (48...57).contains($0) } }
        let decimals = parts.count == 2 ? String(parts[1]) : ""
        guard (1...2).contains(parts.count), digits, (1...9).contains(parts[0].count), decimals.count <= 9,
            parts.count == 1 || !decimals.isEmpty,
            (parts[0] + decimals).contains(where: { $0 != "0" })
        else { throw .invalid(at: input.path) }
        let whole = parts[0].drop { $0 == "0" }
        return (whole.isEmpty ? "0" : String(whole)) + "." + decimals + String(repeating: "0", count: 9 - decimals.count)
    }

    mutating func stamp(by person: JSONValue, at time: JSONValue) {
        if body["created_time"] == nil {
            body["created_time"] = time
            body["created_by"] = person
        }
        body["modified_time"] = time
        body["modified_by"] = person
    }
}
