import Metadata
import SQLStore
import Wire

/// What the user of a channel may see of the records that changed. One statement for each module, when it is first asked for.
struct ChannelView {
    private let access: AccessPolicy?
    private let catalog: Catalog
    private let render: RenderContext
    /// By module: the records there for the user, with the values of their fields.
    private var seen: [ModuleID: [RecordID: JSONValue]] = [:]
    /// The records that are gone and were there for the user.
    private var gone: Set<RecordID>?

    init(_ user: UserID, _ catalog: Catalog, _ services: Services) {
        // Who may not sign in any more is told nothing.
        access = try? AccessPolicy.of(user, catalog)
        self.catalog = catalog
        render = services.render(catalog, catalog.user(user)?.zone ?? catalog.zone)
    }

    /// What is told of an event; `nil` when the record is not there for the user. Values are those of now: the record may have
    /// changed once more, which will be told too.
    mutating func payload(_ event: ChangeEvent, _ reader: EventReader, withValues: Bool, _ tx: Transaction) throws -> JSONValue? {
        guard let access else { return nil }
        if event.module.isUsers { return UserChanges.payload(event, withValues: withValues, catalog) }
        guard access.may(.view, event.module) else { return nil }
        let grave = try graves(reader, access, tx).contains(event.record)
        let values = try records(of: event.module, reader, access, tx)[event.record]
        guard values != nil || grave else { return nil }
        // What changed hidden fields only is not told.
        let fields = event.fields.filter { access.right(on: $0) != .hidden }
        guard event.operation != .update || !fields.isEmpty || event.fields.isEmpty else { return nil }
        var payload: JSONValue = ["fields": .array(fields.map { .string($0.apiName) })]
        if withValues, event.operation != .delete, !event.isRelated {
            let told = event.operation == .insert ? reader.filled(event.record).filter { access.right(on: $0) != .hidden } : fields
            payload["values"] = .object(
                told.compactMap { field in values?[field.apiName].map { .init(field.apiName, $0) } })
        }
        return payload
    }

    private mutating func graves(_ reader: EventReader, _ access: AccessPolicy, _ tx: Transaction) throws -> Set<RecordID> {
        if let gone { return gone }
        let found = try access.graves(Set(reader.graves.keys), for: .view, tx)
        gone = found
        return found
    }

    private mutating func records(of module: Module, _ reader: EventReader, _ access: AccessPolicy, _ tx: Transaction) throws
        -> [RecordID: JSONValue]
    {
        if let found = seen[module.id] { return found }
        let ids = reader.live(module.id)
        var found: [RecordID: JSONValue] = [:]
        if !ids.isEmpty {
            let query = Query(module, fields: module.fields, filter: .ids(ids), limit: ids.count)
            let plan = try Planner(catalog, access).plan(query)
            var json = JSONWriter(capacity: 4096)
            json.beginArray()
            _ = try RecordReader.write(plan, render, tx, to: &json)
            json.endArray()
            for record in try JSONValue.parse(json.finish()).array ?? [] {
                if let id = record["id"]?.string.flatMap({ RecordID($0) }) { found[id] = record }
            }
        }
        seen[module.id] = found
        return found
    }
}
