import SQLStore
import Wire

extension FieldType {
    package static let text = plainText("text", .text)
    static let textarea = plainText("textarea", .longText)
    /// Unknown picklist values are accepted and stored as given (`metadata/types.md`); `-None-` means empty.
    static let picklist = FieldType(dataType: "picklist", storage: [.text], cell: .text, comparison: .choice) {
        (input: JSONCursor, field: Field, _: Catalog) throws(Rejection) in
        let text = try shortText(input, field)
        if text == "-None-" { return .null }
        return .text(field.choices[text] ?? text)
    }
    static let autonumber = plainText("autonumber", .choice)
    static let profileImage = plainText("profileimage", .none)

    static let email = checkedText("email") { $0.isEmailAddress }
    static let phone = checkedText("phone") { $0.isPhoneNumber }
    static let website = checkedText("website") { $0.isWebAddress }

    private static func plainText(_ dataType: String, _ comparison: Comparison) -> FieldType {
        FieldType(dataType: dataType, storage: [.text], cell: .text, comparison: comparison) {
            (input: JSONCursor, field: Field, _: Catalog) throws(Rejection) in .text(try shortText(input, field))
        }
    }

    private static func checkedText(_ dataType: String, _ accepts: @escaping @Sendable (String) -> Bool) -> FieldType {
        FieldType(dataType: dataType, storage: [.text], cell: .text, comparison: .text) {
            (input: JSONCursor, field: Field, _: Catalog) throws(Rejection) in
            let text = try shortText(input, field)
            guard accepts(text) else { throw .wrongType(dataType, at: input.path) }
            return .text(text)
        }
    }

    /// A string no longer than its field allows, counted in Unicode scalars: what readers see as one character has no largest size.
    private static func shortText(_ input: JSONCursor, _ field: Field) throws(Rejection) -> String {
        guard let text = input.value.string else { throw .wrongType("text", at: input.path) }
        if let limit = field.length, text.utf8.count > limit, text.unicodeScalars.count > limit { throw .tooLong(limit, at: input.path) }
        return text
    }
}

extension String {
    /// Local part starting with a letter, digit, `_`, `+` or `-`; a domain with a dot; a top-level name of 2 to 22 letters.
    package var isEmailAddress: Bool {
        let parts = split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, utf8.count <= 256, let first = parts[0].unicodeScalars.first,
            first.isLetter || first.isDigit || "_+-".unicodeScalars.contains(first)
        else { return false }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, let last = labels.last?.unicodeScalars, (2...22).contains(last.count), last.allSatisfy(\.isLetter) else {
            return false
        }
        let clean = { (part: Substring) in !part.isEmpty && !part.unicodeScalars.contains(where: \.isForeignToMail) }
        return clean(parts[0]) && labels.allSatisfy(clean)
    }

    /// Digits and letters in groups parted by blanks, dots, dashes or slashes, with an optional `+`, brackets and extension marks.
    package var isPhoneNumber: Bool {
        unicodeScalars.contains(where: \.isDigit)
            && unicodeScalars.allSatisfy { $0.isDigit || $0.isLetter || "+-./ ();#,:*".unicodeScalars.contains($0) }
    }

    /// At least one dot between non-blank parts, with or without a scheme.
    package var isWebAddress: Bool {
        guard !contains(where: \.isWhitespace) else { return false }
        var rest = self[...]
        for scheme in ["http://", "https://", "ftp://"] where rest.lowercased().hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2 && labels.allSatisfy { !$0.isEmpty }
    }
}

/// Plain letters and digits are told by their number: a look into the tables of Unicode for each was a twentieth of an insert.
extension Unicode.Scalar {
    fileprivate var isLetter: Bool {
        isASCII ? (0x41...0x5A).contains(value) || (0x61...0x7A).contains(value) : properties.isAlphabetic
    }

    fileprivate var isDigit: Bool { isASCII ? (0x30...0x39).contains(value) : properties.numericType != nil }

    fileprivate var isForeignToMail: Bool {
        switch self {
        case "\"", "(", ")", ",", ":", ";", "<", ">", "[", "]", "\\": true
        default: isASCII ? value <= 0x20 : properties.isWhitespace
        }
    }
}
