import Metadata
import Wire

/// A type of field as an organisation may make it: its numbers on the wire, its lengths, and what it allows.
/// Contract: fields, section note and U6; `metadata/types.md`, "POST /settings/fields".
struct FieldKind: Sendable {
    /// Which lengths may be asked for; the last named is taken when none is given.
    enum Lengths: Sendable {
        case fixed(Int)
        case upTo(Int)
        case oneOf([Int])
    }

    /// What a type allows besides.
    struct Traits: OptionSet, Sendable {
        let rawValue: Int
        static let unique = Traits(rawValue: 1), encrypted = Traits(rawValue: 2), filtered = Traits(rawValue: 4),
            sorted = Traits(rawValue: 8)
        static let computed = Traits(rawValue: 16), decimals = Traits(rawValue: 32), shortTooltip = Traits(rawValue: 64),
            choices = Traits(rawValue: 128)
        static let usual: Traits = [.filtered, .sorted]
    }

    let dataType: String
    let jsonType: String
    let uiType: Int
    let lengths: Lengths
    let traits: Traits

    init(_ dataType: String, _ jsonType: String, _ uiType: Int, _ lengths: Lengths, _ traits: Traits = .usual) {
        self.dataType = dataType
        self.jsonType = jsonType
        self.uiType = uiType
        self.lengths = lengths
        self.traits = traits
    }

    static let all: [FieldKind] = [
        FieldKind("text", "string", 1, .upTo(255), [.usual, .unique, .encrypted, .shortTooltip]),
        FieldKind("textarea", "string", 3, .oneOf([2000, 32000, 50000]), [.encrypted, .shortTooltip]),
        FieldKind("email", "string", 25, .upTo(100), [.usual, .unique, .encrypted, .shortTooltip]),
        FieldKind("phone", "string", 33, .upTo(30), [.usual, .unique, .encrypted, .shortTooltip]),
        FieldKind("website", "string", 21, .upTo(450), [.usual, .unique, .encrypted, .shortTooltip]),
        FieldKind("picklist", "string", 2, .fixed(120), [.usual, .choices]),
        FieldKind("multiselectpicklist", "jsonarray", 100, .fixed(1000), [.filtered, .choices]),
        FieldKind("date", "string", 24, .fixed(20), [.usual, .unique, .encrypted]),
        FieldKind("datetime", "string", 200, .fixed(120), [.usual, .unique, .encrypted]),
        FieldKind("integer", "integer", 32, .upTo(9), [.usual, .unique, .encrypted, .shortTooltip]),
        FieldKind("bigint", "string", 52, .upTo(18), [.usual, .unique, .encrypted, .shortTooltip]),
        FieldKind("double", "double", 38, .upTo(18), [.usual, .unique, .encrypted, .decimals, .shortTooltip]),
        FieldKind("percent", "double", 34, .upTo(5), [.usual, .unique, .decimals, .shortTooltip]),
        FieldKind("currency", "double", 36, .upTo(16), [.usual, .unique, .encrypted, .decimals]),
        FieldKind("boolean", "boolean", 301, .fixed(5), [.usual, .shortTooltip]),
        FieldKind("autonumber", "string", 111, .upTo(255), [.usual, .computed]),
        FieldKind("formula", "string", 116, .fixed(120), [.usual, .computed]),
        FieldKind("rollup_summary", "double", 118, .fixed(120), [.usual, .computed]),
        FieldKind("lookup", "jsonobject", 133, .fixed(120), [.usual, .shortTooltip]), FieldKind("userlookup", "jsonobject", 8, .fixed(120)),
        FieldKind("multiselectlookup", "jsonarray", 444, .fixed(120), []), FieldKind("multiuserlookup", "jsonarray", 444, .fixed(120), []),
        FieldKind("fileupload", "jsonarray", 555, .oneOf([1, 5]), []), FieldKind("imageupload", "jsonarray", 556, .upTo(10), []),
    ]

    var isComputedFromOthers: Bool { dataType == "formula" || dataType == "rollup_summary" }

    static func named(_ dataType: String) -> FieldKind? { all.first { $0.dataType == dataType } }

    /// The length asked for, or the usual one. One that the type does not allow is DEPENDENT_MISMATCH.
    func length(_ item: JSONCursor) throws(Rejection) -> Int {
        guard let given = item.optional("length"), !given.value.isNull else {
            return switch lengths {
            case .fixed(let length), .upTo(let length): length
            case .oneOf(let few): few[0]
            }
        }
        guard let wanted = given.value.looseInt64.map(Int.init) else { throw .wrongType("integer", at: given.path) }
        switch lengths {
        case .fixed(let length): return length
        case .upTo(let limit):
            guard (1...limit).contains(wanted) else { throw .badLength(limit, at: item.path) }
            return wanted
        case .oneOf(let few):
            guard few.contains(wanted) else { throw .badLength(few.last ?? 0, at: item.path) }
            return wanted
        }
    }

    /// What a field that only the system fills says of itself.
    static let readOnly: [(key: String, value: JSONValue)] = [
        ("read_only", true), ("field_read_only", true), ("businesscard_supported", false),
        ("operation_type", ["web_update": false, "api_create": false, "web_create": false, "api_update": false]),
        ("view_type", ["view": true, "edit": false, "quick_create": false, "create": false]),
    ]
}

extension Rejection {
    fileprivate static func badLength(_ limit: Int, at path: JSONPath) -> Rejection {
        Rejection(
            .dependentMismatch, .dependee("data_type", path.appending("data_type")), .apiName("length"),
            .jsonPath(path.appending("length")),
            .maximumLength(limit))
    }
}
