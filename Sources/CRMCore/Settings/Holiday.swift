import Metadata
import Wire

/// A day on which nobody works, or nobody of one shift. Contract: holidays, 98 to 101.
package enum Holiday {
    package static let kind: Document.Kind = "holiday"
    package static let types = ["business_holiday", "shift_holiday"]
    package static let limitPerYear = 52
    private static let longestName = 80
    private static let forbidden = Set("~`#%&+=[]{}|;<>^")

    /// The days on which the organisation is closed.
    static func closedDays(_ catalog: Catalog) -> Set<Int> {
        Set(catalog.documents(kind).filter { $0.body["type"]?.string == types[0] }.compactMap(day))
    }

    static func dates(of shift: RecordID, _ catalog: Catalog) -> [Int] { of(shift, catalog).compactMap(day) }

    package static func of(_ shift: RecordID, _ catalog: Catalog) -> [Document] {
        catalog.documents(kind).filter { $0.body["shift_hour"]?["id"]?.looseInt64 == shift.raw }
    }

    private static func day(_ document: Document) -> Int? { document.body["date"]?.string.flatMap(CalendarDate.init)?.daysSinceEpoch }

    /// A name of a holiday or a shift.
    package static func name(_ given: JSONCursor) throws(Rejection) -> String {
        let text = try given.string(max: longestName, min: 1)
        guard text.contains(where: { !$0.isWhitespace }) else { throw .missing(given.name, at: given.path) }
        guard !text.contains(where: forbidden.contains) else { throw .invalid(at: given.path) }
        return text
    }

    /// Completes the body of a holiday from its name and date, and refuses one too many or one that is there.
    package static func complete(_ body: inout JSONValue, _ item: JSONCursor, id: RecordID, _ catalog: Catalog) throws(Rejection) {
        body["name"] = .string(try Self.name(try item.required("name")))
        let given = try item.required("date")
        guard let date = given.value.string.flatMap(CalendarDate.init) else { throw .invalid(at: given.path) }
        let year = Int64(date.iso.prefix(4)) ?? 0
        body["date"] = .string(date.iso)
        body["year"] = .integer(year)
        let others = catalog.documents(kind).filter { $0.id != id && $0.body["year"]?.int64 == year }
        guard others.count < limitPerYear else {
            throw Rejection(.limitExceeded, .apiName("date"), .jsonPath(given.path), .other("limit", .integer(limitPerYear)))
        }
        let name = body["name"]?.string?.lowercased()
        let twin = others.contains { other in
            other.body["name"]?.string?.lowercased() == name && other.body["shift_hour"]?["id"] == body["shift_hour"]?["id"]
        }
        if twin { throw .duplicate(at: item.path.appending("name")) }
    }

    /// The holidays that the request for a shift makes, changes and takes away.
    package static func apply(_ item: JSONCursor, to shift: RecordID, named name: JSONValue, _ scope: MetadataScope) throws {
        guard let given = item.optional("holidays"), !given.value.isNull else { return }
        for entry in try given.elements() {
            _ = try entry.object()
            let number = entry.optional("id").flatMap { $0.value.isNull ? nil : $0 }
            let wanted = try number?.recordID()
            let stored = wanted.flatMap { id in of(shift, scope.catalog).first { $0.id == id } }
            if let number, stored == nil { throw Rejection.invalid(at: number.path) }
            if entry.value["_delete"] != nil {
                guard let stored else { throw Rejection.missing("id", at: entry.path) }
                try scope.remove([stored.id])
            } else if let stored {
                var body = stored.body
                try complete(&body, entry, id: stored.id, scope.catalog)
                try scope.replace(stored.id, body: body)
            } else {
                let id = scope.ids.next()
                var body: JSONValue = ["type": .string(types[1]), "shift_hour": ["name": name, "id": .id(shift)]]
                try complete(&body, entry, id: id, scope.catalog)
                try scope.add(kind, body["name"]?.string, body, id: id)
            }
            // The next one counts this one.
            try scope.reload()
        }
    }
}
