import Metadata
import Wire

/// The year an organisation counts by, and what it is called. Contract: fiscal-year, 93 and 94.
package struct FiscalYear: Sendable {
    package static let kind: Document.Kind = "fiscal_year"
    package static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    package static let bases = ["start_month", "end_month"]
    /// The id of the one there is. It stands between those of the seed and those made later.
    private static let id = RecordID(raw: 113_000_000_000_000_001)

    /// What an organisation has that has said nothing.
    package static let initial = Document(
        id: id, kind: kind, body: ["start_month": .string(months[0]), "display_based_on": .string(bases[0])])

    /// 1 to 12.
    package let startMonth: Int

    package init(_ catalog: Catalog) {
        let name = (catalog.documents(Self.kind).first ?? Self.initial).body["start_month"]?.string
        startMonth = (name.flatMap { Self.months.firstIndex(of: $0) } ?? 0) + 1
    }

    /// A body with what the request changes.
    package static func read(_ item: JSONCursor, into body: inout JSONValue) throws(Rejection) {
        let keys = ["start_month", "display_based_on"]
        let given = keys.compactMap { item.optional($0) }.filter { !$0.value.isNull }
        guard !given.isEmpty else { throw Rejection(.invalidData, .apiName(keys[0]), .jsonPath(item.path.appending(keys[0]))) }
        for value in given {
            if value.name == "start_month" {
                let wanted = value.value.string?.lowercased()
                guard let month = months.first(where: { $0.lowercased() == wanted }) else {
                    throw Rejection(
                        .invalidData, message: "Please give a valid month", .apiName(value.name), .jsonPath(value.path),
                        .other("allowed_values", .array(months.map(JSONValue.string))))
                }
                body[value.name] = .string(month)
            } else {
                guard let basis = value.value.string, bases.contains(basis) else {
                    throw Rejection(
                        .invalidData, message: "Please give a valid value", .apiName(value.name), .jsonPath(value.path),
                        .other("allowed_values", .array(bases.map(JSONValue.string))))
                }
                body[value.name] = .string(basis)
            }
        }
    }
}
