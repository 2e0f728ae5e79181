import Metadata
import Wire

/// Shows the territories of a record as the API has them (territories, 3). Those that are no more are left out.
enum TerritoryValueWriter {
    private static let name = JSONKey("Name"), id = JSONKey("id"), assigned = JSONKey("$assigned"), by = JSONKey("$assigned_by"),
        at = JSONKey("$assigned_time"), plainName = JSONKey("name")

    static func write(_ stored: UnsafeBufferPointer<UInt8>, _ context: RenderContext, to json: inout JSONWriter) {
        json.beginArray()
        for (entry, title, territory) in known(stored, context) {
            json.beginObject()
            json.key(name)
            json.string(title)
            json.key(id)
            json.digits(territory)
            json.key(assigned)
            json.string(entry["manual"]?.int64 == 1 ? "manually" : "automatically")
            json.key(by)
            if let person = entry["by"]?.int64.flatMap({ context.namedUsers[$0] }) { json.raw(person) } else { json.null() }
            json.key(at)
            let instant = Instant(milliseconds: entry["at"]?.int64 ?? 0)
            json.string(instant.iso(offsetMinutes: context.zone.offsetMinutes(at: instant)))
            json.endObject()
        }
        json.endArray()
    }

    /// Places that no row holds yet, as they will be shown.
    static func shown(_ places: [RecordTerritories.Assignment], _ context: RenderContext) throws -> JSONValue {
        let stored = JSONValue.array(
            places.map { place in
                [
                    "id": .integer(place.territory.raw), "manual": .integer(place.manual ? 1 : 0),
                    "by": place.by.map { .integer($0.raw) } ?? .null, "at": .integer(place.at.milliseconds),
                ]
            }
        ).encoded()
        var json = JSONWriter()
        stored.withUnsafeBufferPointer { write($0, context, to: &json) }
        return try JSONValue.parse(json.finish())
    }

    /// The shorter form of queries (query-api, last notes).
    static func writeNames(_ stored: UnsafeBufferPointer<UInt8>, _ context: RenderContext, to json: inout JSONWriter) {
        json.beginArray()
        for (_, title, territory) in known(stored, context) {
            json.beginObject()
            json.key(plainName)
            json.string(title)
            json.key(id)
            json.digits(territory)
            json.endObject()
        }
        json.endArray()
    }

    private static func known(_ stored: UnsafeBufferPointer<UInt8>, _ context: RenderContext) -> [(JSONValue, String, Int64)] {
        let entries = (try? JSONValue.parse(Array(stored)))?.array ?? []
        return entries.compactMap { entry in
            guard let id = entry["id"]?.int64, let title = context.territories[id] else { return nil }
            return (entry, title, id)
        }
    }
}
