import CRMCore
import Wire

extension Reply {
    /// One result for each item, with the id of what was done: the item's own, or under another name that of a job.
    package static func items(
        _ key: String, _ outcomes: [Result<RecordID, Rejection>], saying message: String, code: String = "SUCCESS",
        naming name: String = "id", success: Int = 200
    ) -> Reply {
        let results = outcomes.map { outcome in
            outcome.map { id in JSONValue.success(message, code: code, details: .object([.init(name, .id(id))])) }
        }
        return items(key, results, success: success)
    }
}

extension ParsedRequest {
    /// Ids of a comma-separated parameter.
    package func ids(_ name: String = "ids", limit: Int = 100) throws(Rejection) -> [RecordID] {
        guard let text = query(name), !text.isEmpty else { throw .missingParameter(name) }
        return try Self.ids(text, name, limit: limit)
    }

    package static func ids(_ text: String, _ name: String, limit: Int) throws(Rejection) -> [RecordID] {
        var ids: [RecordID] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let id = RecordID(part.filter { $0 != " " }) else { throw Rejection(.unableToParseDataType, .parameter(name)) }
            ids.append(id)
        }
        guard ids.count <= limit else { throw Rejection(.limitExceeded, .parameter(name), .other("limit", .integer(limit))) }
        return ids
    }
}

extension RequestContext {
    /// Changes settings item by item in one transaction. A refused item leaves nothing behind and the others alone.
    package func changeEach<Item: Sendable, Done: Sendable>(
        _ items: [Item], _ body: @Sendable @escaping (Item, MetadataScope) throws -> Done
    ) async throws -> [Result<Done, Rejection>] {
        try await services.changeMetadata(by: access.user) { scope in try scope.each(items) { try body($0, scope) } }
    }
}
