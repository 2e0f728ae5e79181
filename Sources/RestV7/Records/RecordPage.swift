import CRMCore
import HTTPShell
import Metadata
import Wire

/// Runs a list query and writes its envelope.
enum RecordPage {
    static func answer(_ query: Query, _ page: PageRequest, notModifiedWhenEmpty: Bool = false, _ context: RequestContext) async throws
        -> Reply
    {
        let (records, result) = try await context.records.page(query)
        return answer(records, result, page, notModifiedWhenEmpty: notModifiedWhenEmpty, context)
    }

    /// The envelope around rows that are written already.
    static func answer(
        _ records: [UInt8], _ result: RecordReader.Page, _ page: PageRequest, notModifiedWhenEmpty: Bool, _ context: RequestContext
    ) -> Reply {
        if result.count == 0 { return notModifiedWhenEmpty ? .notModified : .nothing }
        var json = JSONWriter(capacity: records.count + 512)
        json.beginObject()
        json.key("data")
        json.raw(records)
        json.key("info")
        json.value(page.info(result, context))
        json.endObject()
        return .bytes(json.finish())
    }

    /// The fields a `fields` parameter names; names the module does not have are dropped.
    static func fields(_ text: String?, _ module: Module) throws(Rejection) -> [Field] {
        guard let text, !text.isEmpty else { throw .missingParameter("fields") }
        // Blanks are rare, and taking characters apart costs more than the rest of a short request.
        let names = text.split(separator: ",").map { $0.utf8.contains(UInt8(ascii: " ")) ? String($0.filter { $0 != " " }) : String($0) }
        guard names.count <= 50 else { throw Rejection(.limitExceeded, .parameter("fields"), .other("limit", 50)) }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }.compactMap { module.field($0) }
    }

    /// What every note says besides (notes, section notes): none was spoken, and none is shared with a client.
    static let noteKeys: [JSONValue.Member] = [
        .init("$voice_note", false), .init("$is_shared_to_client", false), .init("$attachments", .null), .init("$size", .null),
        .init("$sentiment", .null),
    ]

    /// The system keys that a `fields` parameter names; `$event_cancelled` is one of events only (`records.md`, 124).
    static func systemKeys(_ text: String?, _ module: Module) -> [JSONValue.Member] {
        var seen: Set<Substring> = []
        return (text ?? "").split(separator: ",").filter { $0.hasPrefix("$") && seen.insert($0).inserted }.compactMap { name in
            if module.apiName == "Notes", let known = noteKeys.first(where: { $0.name == name }) { return known }
            // A field since organisations have one for it.
            if name == EventCancellation.field, module.apiName == "Events" {
                return module.field(EventCancellation.field) == nil ? .init(EventCancellation.field, false) : nil
            }
            return RecordReader.constant(name)
        }
    }

    /// A single record with everything it has.
    static func single(_ query: Query, _ id: RecordID, _ context: RequestContext) async throws -> Reply? {
        guard let record = try await context.records.single(query, id) else { return nil }
        var json = JSONWriter(capacity: record.count + 16)
        json.beginObject()
        json.key("data")
        json.beginArray()
        json.raw(record)
        json.endArray()
        json.endObject()
        return .bytes(json.finish())
    }
}
