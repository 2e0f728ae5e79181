import CRMCore
import HTTPShell
import Metadata
import Wire

/// Runs a list query and writes its envelope.
enum RecordPage {
    static func answer(_ query: Query, _ page: PageRequest, notModifiedWhenEmpty: Bool = false, _ context: RequestContext) async throws -> Reply {
        let (records, result) = try await context.records.page(query)
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
        let names = text.split(separator: ",").map { String($0.filter { $0 != " " }) }
        guard names.count <= 50 else { throw Rejection(.limitExceeded, .parameter("fields"), .other("limit", 50)) }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }.compactMap { module.field($0) }
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
