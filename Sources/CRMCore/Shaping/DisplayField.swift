import Metadata
import Wire

/// The field that names a custom module's records: text, or a number that counts up.
struct DisplayField {
    let label: String
    let autoNumber: JSONValue?

    /// Without a wish it is a text field called after the module.
    init(_ given: JSONCursor?, singular: String) throws(Rejection) {
        guard let given, !given.value.isNull else {
            label = singular + " Name"
            autoNumber = nil
            return
        }
        _ = try given.object()
        let named = given.optional("field_label")
        let typed = given.optional("data_type")
        guard named != nil || typed != nil else {
            throw .expected(["field_label", "data_type"], at: given.path)
        }
        if let named {
            let text = try named.string(max: FieldLabel.limit, min: 1)
            guard FieldLabel.isPlain(text) else { throw .invalid(at: named.path) }
            label = text
        } else {
            label = singular + " Name"
        }
        switch try typed?.string() {
        case nil, "text": autoNumber = nil
        case "autonumber":
            guard let numbers = given.optional("auto_number"), !numbers.value.isNull else {
                throw .dependent("auto_number", on: "data_type", at: given.path)
            }
            autoNumber = try AutoNumberSettings.read(numbers)
        default: throw .unsupported(["text", "autonumber"], at: typed?.path ?? given.path)
        }
    }

    /// The template's field with label and type as wanted.
    func applied(to field: JSONValue) -> JSONValue {
        var field = field
        field["field_label"] = .string(label)
        field["display_label"] = .string(label)
        guard let autoNumber else { return field }
        for (key, value) in FieldKind.readOnly { field[key] = value }
        field["data_type"] = "autonumber"
        field["ui_type"] = 111
        field["system_mandatory"] = false
        field["required_in_standard_layout"] = false
        field["auto_number"] = autoNumber
        return field
    }
}

/// Prefix, first number and suffix of a field that numbers its records.
enum AutoNumberSettings {
    private static let digits = 16, affix = 50

    static func read(_ given: JSONCursor) throws(Rejection) -> JSONValue {
        _ = try given.object()
        guard let start = given.optional("start_number"), !start.value.isNull else {
            throw .dependent("start_number", on: "auto_number", at: given.path)
        }
        guard let number = start.value.looseInt64 else { throw .wrongType("integer", at: start.path) }
        guard String(number).count <= digits else { throw .tooLong(digits, at: start.path) }
        var settings: JSONValue = ["start_number": .string(String(number))]
        for key in ["prefix", "suffix"] {
            settings[key] = ""
            guard let part = given.optional(key), !part.value.isNull else { continue }
            let text = try part.string(max: affix)
            // The contract says alphanumeric and its own example has a dash.
            guard text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_/. {}".contains($0)) }) else {
                throw .invalid(at: part.path)
            }
            settings[key] = .string(text)
        }
        return settings
    }
}

/// Labels of fields: no special characters.
enum FieldLabel {
    static let limit = 50
    private static let marks: Set<Character> = ["_", "-", ".", "(", ")", "'", "/", "&"]

    static func isPlain(_ label: String) -> Bool { MadeName.isPlainLabel(label, more: marks) }
}

extension Rejection {
    /// None of several keys of which one is needed.
    package static func expected(_ names: [String], at path: JSONPath, status: Int? = nil, code: ErrorCode = .expectedFieldMissing)
        -> Rejection
    {
        let fields = names.map { ["api_name": .string($0), "json_path": .string(path.appending($0).description)] as JSONValue }
        return Rejection(code, status: status, .other("expected_fields", .array(fields)))
    }

    /// A key that another key of the same object calls for is absent.
    static func dependent(_ name: String, on dependee: String, at path: JSONPath) -> Rejection {
        Rejection(.dependentFieldMissing, .dependee(dependee, path.appending(dependee)), .apiName(name), .jsonPath(path.appending(name)))
    }

    /// A key that disagrees with another key of the same object.
    static func mismatch(_ name: String, with dependee: String, at path: JSONPath) -> Rejection {
        Rejection(.dependentMismatch, .dependee(dependee, path.appending(dependee)), .apiName(name), .jsonPath(path.appending(name)))
    }

    static func ambiguous(_ names: [String], at path: JSONPath, message: String? = nil) -> Rejection {
        let fields = names.map { ["api_name": .string($0), "json_path": .string(path.appending($0).description)] as JSONValue }
        return Rejection(.ambiguityDuringProcessing, message: message, .other("ambiguity_due_to", .array(fields)))
    }
}
