import Metadata
import SQLStore
import Wire

/// The deal that a completed appointment becomes, where the preferences ask for one. Contract: appointments, 153.
struct CompletedDeal {
    let appointment: Record
    let service: Record?
    let zone: TimeZoneRule

    /// The deal as a caller would send it.
    func item(_ configuration: JSONValue, _ catalog: Catalog) -> JSONValue {
        var members: [JSONValue.Member] = []
        if let layout = configuration["layout"]?["id"] { members.append(.init("Layout", ["id": layout])) }
        for mapping in configuration["field_mappings"]?.array ?? [] {
            guard let name = mapping["field"]?["api_name"]?.string, let target = catalog.module("Deals")?.field(name) else { continue }
            let value: JSONValue? =
                mapping["type"] == "static"
                ? fixed(mapping["value"] ?? .null, target) : mapping["value"]?.string.flatMap { merged($0, into: target, catalog) }
            if let value, !value.isNull { members.append(.init(name, value)) }
        }
        return .object(members)
    }

    private func fixed(_ value: JSONValue, _ target: Field) -> JSONValue {
        target.type.comparison == .reference ? value : value["name"] ?? value
    }

    private func merged(_ source: String, into target: Field, _ catalog: Catalog) -> JSONValue? {
        guard let (module, field) = MergeField.parse(source, catalog) else { return nil }
        guard let record = module.id == appointment.module.id ? appointment : service else { return nil }
        let stored = record[field]
        if stored.isNull { return nil }
        switch (field.type.comparison, target.type.comparison) {
        case (.instant, .date):
            let moment = Instant(milliseconds: stored.integer ?? 0)
            return moment.date(offsetMinutes: zone.offsetMinutes(at: moment)).map { .string($0.iso) }
        case (.instant, _): return .string(Instant(milliseconds: stored.integer ?? 0).iso(offsetMinutes: 0))
        case (.reference, .text): return nil
        case (.reference, _):
            if field.isAnyLookup, record.target(of: field)?.module != target.target { return nil }
            return ["id": .string(String(stored.integer ?? 0))]
        case (.flag, _): return .bool(stored.integer == 1)
        case (.choices, _): return stored.text.flatMap { try? JSONValue.parse($0) }
        default: return stored.json
        }
    }

    /// Makes the deals of appointments that were completed. What makes a deal impossible refuses the completion.
    static func make(_ completed: [Record], services: [RecordID: Record], _ scope: WriteScope) throws {
        let preferences = AppointmentPreferences(scope.catalog)
        guard preferences.completion == .deal, !completed.isEmpty, let deals = scope.catalog.module("Deals") else { return }
        let items = completed.map { appointment in
            let service = appointment["Service_Name"].integer.flatMap { services[RecordID(raw: $0)] }
            return JSONCursor(
                CompletedDeal(appointment: appointment, service: service, zone: scope.catalog.zone).item(preferences.deal, scope.catalog))
        }
        let system = WriteScope(
            tx: scope.tx, catalog: scope.catalog, access: .system("a completed appointment becomes a deal", for: scope.access.user),
            origin: scope.origin, now: scope.now, group: scope.group, ids: scope.ids)
        for outcome in try RecordStore(rules: RecordRules.all).insert(items, deals, system) { _ = try outcome.get() }
    }
}
