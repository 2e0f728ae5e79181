import Metadata
import Wire

/// Which fields of a user are plain text, and how some of it must look.
enum UserFields {
    /// Kept as given, within their lengths.
    static let plain = [
        "first_name", "last_name", "alias", "phone", "mobile", "fax", "website", "dob", "street", "city", "state", "zip", "country",
        "signature",
    ]

    /// A script that is begun and not ended would swallow what follows the signature (users, 116, errors).
    static func hasOpenScript(_ text: String) -> Bool {
        let text = text.lowercased()
        return parts(of: text, "<script") > parts(of: text, "</script>")
    }

    private static func parts(of text: String, _ word: String) -> Int {
        var count = 0
        var rest = Array(text.utf8)[...]
        let word = Array(word.utf8)
        while rest.count >= word.count {
            if rest.starts(with: word) { count += 1 }
            rest = rest.dropFirst()
        }
        return count
    }
}

/// What a user's answers look like: zone, formats, separators, order of names. Contract: users, 114 and 116.
struct UserSettings {
    let item: JSONCursor
    /// Some of it only the user may set.
    let isOwn: Bool
    let isNew: Bool

    private static let separators: [String: Set<String>] = [
        "number_separator": ["Comma", "Period", "Space"], "decimal_separator": ["Comma", "Period"],
    ]

    func read(into body: inout JSONValue) throws(Rejection) {
        if let given = present("time_zone") {
            guard isOwn else { throw refusal(given, .invalidData, 415) }
            guard let name = given.value.string, TimeZoneRule(identifier: name) != nil else { throw .invalid(at: given.path) }
            body["time_zone"] = .string(name)
        }
        for key in ["language", "country_locale", "locale"] {
            guard let given = present(key) else { continue }
            guard let text = given.value.string, Self.isLocale(text) else { throw .invalid(at: given.path) }
            body[key] = .string(text)
            if key == "country_locale", item.value["locale"] == nil { body["locale"] = .string(text) }
        }
        for (key, known) in Self.separators {
            guard let given = present(key) else { continue }
            guard let text = given.value.string, known.contains(text) else { throw .unsupported(known.sorted(), at: given.path) }
            body[key] = .string(text)
        }
        if let given = present("number_separator") ?? present("decimal_separator"), body["number_separator"] == body["decimal_separator"] {
            throw .invalid(at: given.path)
        }
        if let given = present("time_format") {
            guard let text = given.value.string, ["hh:mm a", "HH:mm"].contains(text) else {
                throw .unsupported(["hh:mm a", "HH:mm"], at: given.path)
            }
            body["time_format"] = .string(text)
        }
        if let given = present("date_format") {
            guard let text = given.value.string, Self.isDateFormat(text) else { throw .invalid(at: given.path) }
            body["date_format"] = .string(text)
        }
        try readOrders(into: &body)
    }

    private func readOrders(into body: inout JSONValue) throws(Rejection) {
        let orders = [
            ("name_format__s", ["Salutation", "First Name", "Last Name"]), ("sort_order_preference__s", ["First Name", "Last Name"]),
        ]
        for (key, parts) in orders {
            guard let given = present(key) else { continue }
            guard isOwn else { throw refusal(given, .notAllowed, 400) }
            let order = given.value.string?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard let order, order.sorted() == parts.sorted() else { throw refusal(given, .invalidData, 415) }
            body[key] = given.value
        }
    }

    private func present(_ name: String) -> JSONCursor? { item.optional(name).flatMap { $0.value.isNull ? nil : $0 } }

    private func refusal(_ given: JSONCursor, _ code: ErrorCode, _ status: Int) -> Rejection {
        Rejection(code, status: status, .apiName(given.name), .jsonPath(given.path))
    }

    /// Such as `en_US`.
    private static func isLocale(_ text: String) -> Bool {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        let letters = { (part: Substring, upper: Bool) in
            (2...3).contains(part.utf8.count) && part.allSatisfy { $0.isASCII && $0.isLetter && $0.isUppercase == upper }
        }
        return (1...2).contains(parts.count) && letters(parts[0], false) && (parts.count == 1 || letters(parts[1], true))
    }

    /// Day, month and year once each, in letters of the usual notation.
    private static func isDateFormat(_ text: String) -> Bool {
        guard text.utf8.count <= 20, text.allSatisfy({ "dMyE ,./-".contains($0) }) else { return false }
        return "dMy".allSatisfy { text.contains($0) }
    }
}
