import SQLStore
import Wire

extension FieldType {
    /// Several days, though the metadata says one (`Services__s.Available_Dates`).
    static let dates = FieldType(dataType: "date", storage: [.text], cell: .json, comparison: .none) {
        (input: JSONCursor, _: Field, _: Catalog) throws(Rejection) in
        var days: [JSONValue] = []
        for element in try input.elements() {
            guard let day = element.value.string.flatMap(CalendarDate.init) else { throw .wrongType("date", at: element.path) }
            if !days.contains(.string(day.iso)) { days.append(.string(day.iso)) }
        }
        return days.isEmpty ? .null : .json(.array(days))
    }

    /// Reminders; `"15 mins"`, which older pages wrote, is one of them.
    static let multiReminder = FieldType(dataType: "multireminder", storage: [.text], cell: .json, comparison: .none) {
        (input: JSONCursor, _: Field, _: Catalog) throws(Rejection) in
        if input.value.array != nil { return .json(input.value) }
        guard let words = input.value.string?.split(separator: " "), words.count == 2, let unit = Int(words[0]), unit >= 0,
            let period = ["min": "minutes", "hour": "hours", "day": "days", "week": "weeks"].first(where: { words[1].hasPrefix($0.key) })
        else { throw .wrongType("jsonarray", at: input.path) }
        return .json([["unit": .integer(unit), "period": .string(period.value)]])
    }

    /// Taxes of the organisation, by id or by label; kept with both (`Services__s.Tax`).
    static let taxes = FieldType(dataType: "multiselectpicklist", storage: [.text], cell: .json, comparison: .none) {
        (input: JSONCursor, _: Field, catalog: Catalog) throws(Rejection) in
        var chosen: [JSONValue] = []
        for element in try input.elements() {
            let id = (element.value["id"] ?? .null).looseInt64
            let label = element.value.string ?? element.value["value"]?.string
            guard id != nil || label != nil else { throw .wrongType("jsonobject", at: element.path) }
            let found = catalog.documents(.tax).first { tax in
                id.map { $0 == tax.id.raw } ?? (label == taxLabel(tax) || label == tax.body["name"]?.string)
            }
            guard let found else { throw .invalid(at: element.path) }
            chosen.append(["id": .id(found.id), "value": .string(taxLabel(found))])
        }
        return chosen.isEmpty ? .null : .json(.array(chosen))
    }

    private static func taxLabel(_ tax: Document) -> String { "\(tax.body["name"]?.string ?? "") - \(tax.body["value"]?.double ?? 0) %" }
}
