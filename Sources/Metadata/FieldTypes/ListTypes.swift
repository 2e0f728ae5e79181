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
