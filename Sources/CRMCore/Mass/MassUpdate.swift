import Metadata
import SQLStore
import Wire

/// The same values for many records. Contract: mass-update, 201.
package struct MassUpdate: Sendable {
    package static let idLimit = 500
    let module: Module
    /// An item of an update, but for the id.
    private let item: JSONCursor

    /// `overwrites` replaces what multi-select picklists hold; otherwise the values are added.
    package init(_ data: JSONCursor, overwrites: Bool, _ module: Module, _ catalog: Catalog, _ access: AccessPolicy) throws(Rejection) {
        let members = try data.object()
        let most = module.apiName == "Deals" ? 3 : 1
        guard (1...most).contains(members.count) else { throw Rejection(.invalidData, .jsonPath(data.path), .maximumLength(most)) }
        var item = data.value
        var added: [JSONValue.Member] = []
        for member in members {
            let path = data.path.appending(member.name)
            guard let field = module.field(member.name), field.isMassUpdatable else { throw .invalid(at: path) }
            if field.type.comparison == .choices, !overwrites { added.append(.init(member.name, true)) }
        }
        if !added.isEmpty { item["$append_values"] = .object(added) }
        self.item = JSONCursor(item, at: data.path)
        self.module = module
        // What no record could take is refused before any is asked.
        _ = try RecordDecoder(catalog: catalog, module: module, access: access).decode(
            self.item, into: Record(module, id: RecordID(raw: 0)), .update)
    }

    init(kept: JSONValue, _ module: Module) {
        self.module = module
        // Sealed where it names an encrypted field.
        let field = kept[Self.sealedFor]?.string.flatMap { module.field($0) }
        let opened = field?.cipher?.openText(kept["item"]?.string ?? "").flatMap { try? JSONValue.parse($0) }
        item = JSONCursor(opened ?? kept, at: JSONPath().appending("data").appending(0))
    }

    private static let sealedFor = "$sealed_for"

    /// What a job keeps of it.
    var kept: JSONValue {
        let named = (item.value.members ?? []).compactMap { module.field($0.name) }
        guard let field = named.first(where: \.isEncrypted), let cipher = field.cipher else { return item.value }
        return [Self.sealedFor: .string(field.apiName), "item": cipher.sealText(item.value.text).json]
    }

    package func apply(to ids: [RecordID], _ records: RecordStore, _ scope: WriteScope) throws -> [RecordStore.Outcome] {
        try scope.access.require(.massUpdate, module)
        let items = ids.map { id -> JSONCursor in
            var value = item.value
            value["id"] = .id(id)
            return JSONCursor(value, at: item.path)
        }
        return zip(ids, try records.update(items, module, scope)).map { id, outcome in
            outcome.mapError { $0 == .unknownRecord(at: item.path.appending("id")) ? Rejection($0.code, message: $0.message, .id(id)) : $0 }
        }
    }
}

extension Field {
    private static let massUpdatable: Set<String> = [
        "text", "phone", "website", "picklist", "multiselectpicklist", "boolean", "integer", "currency", "percent", "date", "datetime",
        "userlookup",
    ]
    /// Whatever their metadata say (mass-update, last notes).
    private static let neverMassUpdatable: Set<String> = ["email", "lookup", "layout", "textarea", "multi_module_lookup", "autonumber"]

    /// Metadata where they say so, and the habit of the type otherwise (`metadata/types.md`, column M).
    fileprivate var isMassUpdatable: Bool {
        guard settable, !columns.isEmpty, columns.first?.raw != "id", !Self.neverMassUpdatable.contains(type.dataType) else { return false }
        return body["mass_update"]?.bool ?? Self.massUpdatable.contains(type.dataType)
    }
}

/// A mass update of a whole view.
package struct MassUpdateJob: JobHandler {
    package static let kind = "mass_update"

    package init() {}

    package static func schedule(_ update: MassUpdate, of selection: MassSelection, view: RecordID, _ scope: WriteScope) throws -> RecordID
    {
        try scope.access.require(.massUpdate, selection.module)
        try scope.access.require(.edit, selection.module)
        // A mass action that runs for that view is told with 202 (mass-update, errors).
        return try MassRun.schedule(
            kind, selection, ["update": update.kept, "view": .id(view)], scope, conflicts: { $0["more"]?["view"] == .id(view) },
            refusal: Rejection(.alreadyScheduled, status: 202))
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let kept = job.payload["more"]?["update"] ?? [:]
        let records = services.records
        try await MassRun.run(job, services) { ids, module, scope in
            try MassUpdate(kept: kept, module).apply(to: ids, records, scope).filter { (try? $0.get()) != nil }.count
        }
    }
}
