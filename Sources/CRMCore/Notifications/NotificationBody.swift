import Metadata
import Wire

/// The body of a call to a channel's endpoint. Contract: notifications, "Callback"; the page "Enable Notifications".
enum NotificationBody {
    static func json(_ claim: DeliveryQueue.Claim, _ catalog: Catalog, now: Instant) -> JSONValue {
        guard let first = claim.rows.first else { return .null }
        let module = catalog.module(id: first.module).map(Channel.name) ?? ""
        var query: JSONValue = [:]
        for (name, value) in claim.url.query { query[String(name)] = .string(String(value)) }
        // A record whose fields nobody names, such as one that is new, is not listed.
        let fields = claim.rows.compactMap { row -> JSONValue? in
            guard let names = row.payload["fields"], names.array?.isEmpty == false else { return nil }
            return .object([.init(row.record.description, names)])
        }
        var body: JSONValue = [
            "server_time": .integer(now.milliseconds), "query_params": query, "module": .string(module),
            "resource_uri": .string("\(claim.origin)/crm/v7/\(module)"), "ids": .array(claim.rows.map { .id($0.record) }),
            "affected_fields": .array(fields), "operation": .string(first.operation.rawValue),
            "channel_id": .string(String(claim.number)), "token": claim.token.map(JSONValue.string) ?? .null,
        ]
        if claim.withValues {
            body["affected_values"] = .array(
                claim.rows.compactMap { row in
                    row.payload["values"].map { ["record_id": .id(row.record), "values": $0] }
                })
        }
        return body
    }
}
