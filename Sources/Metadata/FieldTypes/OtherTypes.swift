import SQLStore
import Wire

extension FieldType {
    static let boolean = FieldType(dataType: "boolean", storage: [.integer], cell: .flag, comparison: .flag) {
        (input: JSONCursor, _: Field, _: Catalog) throws(Rejection) in
        guard let flag = input.value.bool else { throw .wrongType("boolean", at: input.path) }
        return .flag(flag)
    }

    static let date = FieldType(dataType: "date", storage: [.text], cell: .text, comparison: .date) {
        (input: JSONCursor, _: Field, _: Catalog) throws(Rejection) in
        guard let date = input.value.string.flatMap(CalendarDate.init) else { throw .wrongType("date", at: input.path) }
        // Calendars have no year 0.
        guard !date.iso.hasPrefix("0000") else { throw .wrongType("date", at: input.path) }
        return .date(date)
    }

    /// When the year 1 begins.
    private static let firstMoment: Int64 = -62_135_596_800_000

    /// Any offset is accepted; answers use the caller's zone.
    static let datetime = FieldType(dataType: "datetime", storage: [.integer], cell: .instant, comparison: .instant) {
        (input: JSONCursor, _: Field, _: Catalog) throws(Rejection) in
        guard let instant = input.value.string.flatMap(Instant.init(iso:)) else { throw .wrongType("datetime", at: input.path) }
        guard instant.milliseconds >= firstMoment else { throw .wrongType("datetime", at: input.path) }
        return .instant(instant)
    }

    static let multiSelectPicklist = FieldType(dataType: "multiselectpicklist", storage: [.text], cell: .json, comparison: .choices) {
        (input: JSONCursor, field: Field, _: Catalog) throws(Rejection) in
        var chosen: [String] = []
        for element in try input.elements() {
            guard let text = element.value.string else { throw .wrongType("text", at: element.path) }
            let value = field.choices[text] ?? text
            if !chosen.contains(value) { chosen.append(value) }
        }
        return chosen.isEmpty ? .null : .choices(chosen)
    }

    /// A structured value kept as it came; only its JSON kind is checked, and how many there are.
    static func structured(_ dataType: String, atMost limit: Int? = nil) -> FieldType {
        FieldType(dataType: dataType, storage: [.text], cell: .json, comparison: .none) {
            (input: JSONCursor, field: Field, _: Catalog) throws(Rejection) in
            if let limit, let count = input.value.array?.count, count > limit {
                throw Rejection(
                    .limitExceeded, .apiName(field.apiName), .jsonPath(input.path), .maximumLength(limit), .other("limit", .integer(limit)))
            }
            switch (input.value, dataType) {
            case (.object, "ALARM"), (.object, "RRULE"), (.object, "module"): return .json(input.value)
            case (.array, "ALARM"), (.array, "RRULE"): throw .wrongType("jsonobject", at: input.path)
            // Parts that have names of their own.
            case (.array(let parts), "linetax"), (.array(let parts), "time_range"):
                for (index, part) in parts.enumerated() where part.members == nil {
                    throw .wrongType("jsonobject", at: input.path.appending(index))
                }
                return .json(input.value)
            case (.array, _): return .json(input.value)
            default: throw .wrongType(dataType == "ALARM" || dataType == "RRULE" ? "jsonobject" : "jsonarray", at: input.path)
            }
        }
    }

    /// The territories a record is in: rows of a table of their own, changed by calls of their own.
    static let territories = FieldType(dataType: "territories", storage: [], cell: .territories, comparison: .none) {
        (_: JSONCursor, _: Field, _: Catalog) throws(Rejection) in .null
    }

    /// A value that lives in rows of another table, or is computed: no column of its own.
    static func elsewhere(_ dataType: String) -> FieldType {
        FieldType(dataType: dataType, storage: [], cell: .absent, comparison: .none) {
            (_: JSONCursor, _: Field, _: Catalog) throws(Rejection) in .null
        }
    }
}
