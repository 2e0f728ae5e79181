import SQLStore
import Wire

/// One `data_type` of the API as a value: how it is stored, shown, compared and read from JSON.
/// Each type is a static member in a file of its own, entered once in `FieldType.registry`.
package struct FieldType: Sendable {
    package let dataType: String
    /// The column types of one value; empty when the value lives in rows elsewhere.
    package let storage: [ColumnType]
    package let cell: CellForm
    package let comparison: Comparison
    package let decode: @Sendable (JSONCursor, Field, Catalog) throws(Rejection) -> FieldValue

    /// The shape of a value in an answer. One switch in the record reader turns columns into bytes.
    package enum CellForm: UInt8, Sendable {
        case text, digits, number, real, flag, instant, json, lookup, user, anyLookup, moduleName, layout, files, images, territories,
            absent
        /// The ends of an object inside the record, such as what joins it to another one.
        case open, close
        /// Of an encrypted field: what opens it is known to the plan, and then its own form holds.
        case sealed
        /// Rows of another module, which are read apart.
        case rows
        /// Only in queries: a user by last name and id, and a lookup without its name.
        case person, reference
        /// Only in queries: territories by name and id.
        case territoryNames
    }

    /// What kinds of test a value allows, and how they are asked in SQL.
    package enum Comparison: UInt8, Sendable {
        case text, longText, choice, number, flag, date, instant, reference, choices, none
        /// Of an encrypted field: whether it is empty, and whether it holds a given value.
        case sealed
    }
}

extension FieldType {
    /// The types by API name. A new type is a file and a line here.
    static let registry: [String: FieldType] = {
        let types: [FieldType] = [
            .text, .textarea, .email, .phone, .website, .picklist, .autonumber, .profileImage, .integer, .bigint, .double, .currency,
            .percent, .boolean, .date, .datetime, .multiSelectPicklist, .lookup, .ownerLookup, .userLookup, .multiModuleLookup, .layout,
            .consentLookup, .fileUpload, .imageUpload, .territories, .multiReminder,
        ]
        let structured = ["ALARM", "RRULE", "linetax", "time_range", "module"].map {
            FieldType.structured($0)
        }
        let elsewhere = ["subform", "multiselectlookup", "multiuserlookup", "rollup_summary", "formula"]
            .map(FieldType.elsewhere)
        return Dictionary(uniqueKeysWithValues: (types + structured + elsewhere).map { ($0.dataType, $0) })
    }()

    /// Fields whose metadata says one type while their values have the form of another (`metadata/types.md`, "Special JSON").
    private static let exceptions: [String: FieldType] = [
        "Tag": .elsewhere("text"), "Participants": .structured("bigint", atMost: 50), "Pricing_Details": .structured("text"),
        "Comments": .structured("text"), "Available_Dates": .dates,
    ]

    package static func named(_ dataType: String, field apiName: String) -> FieldType {
        exceptions[apiName] ?? registry[dataType] ?? .text
    }

    /// The type of a field with this body. Computed values are stored, shown and compared as what they yield.
    package static func of(_ dataType: String, _ body: JSONValue, field apiName: String) -> FieldType {
        guard ["formula", "rollup_summary"].contains(dataType), let yielded = body[dataType]?["return_type"]?.string else {
            return named(dataType, field: apiName)
        }
        return named(yielded, field: apiName).with(dataType: dataType)
    }

    func with(dataType: String) -> FieldType {
        FieldType(dataType: dataType, storage: storage, cell: cell, comparison: comparison, decode: decode)
    }
}
