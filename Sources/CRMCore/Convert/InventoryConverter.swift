import Metadata
import SQLStore
import Wire

/// Into what quotes and orders are to be turned, and what goes along. Contract: convert-inventory-records, 139 and 140.
package struct InventoryOrder: Sendable {
    package let target: Module
    let carriesTags: Bool
    let owner: User?
    /// Activities that go over to the new record.
    let followers: [Module]
    let path: JSONPath

    /// What records of a module can become.
    package static func targets(of source: Module) -> [String] {
        switch source.apiName {
        case "Quotes": ["Sales_Orders", "Invoices"]
        case "Sales_Orders": ["Invoices"]
        default: []
        }
    }

    /// The body of one conversion (139). Tags go along unless the caller says otherwise.
    package init(_ item: JSONCursor, of source: Module, _ catalog: Catalog) throws(Rejection) {
        let one = try Self.target(item)
        target = try Self.module(one, of: source, catalog)
        carriesTags = try LeadOrder.given("carry_over_tags", one)?.bool() ?? true
        owner = nil
        followers = []
        path = item.path
    }

    /// The body of many (140), where whether tags go along must be said.
    package init(mass body: JSONCursor, of source: Module, _ catalog: Catalog) throws(Rejection) {
        let one = try Self.target(body)
        target = try Self.module(one, of: source, catalog)
        carriesTags = try one.required("carry_over_tags").bool()
        owner = try LeadOrder.owner(body, catalog)
        followers = try LeadOrder.followers(body, catalog)
        path = body.path
    }

    private static func target(_ item: JSONCursor) throws(Rejection) -> JSONCursor {
        let given = try item.required("convert_to")
        let elements = try given.elements()
        if elements.isEmpty {
            throw Rejection(
                .expectedFieldMissing, message: "Specify atleast one field",
                .other("expected_fields", [["api_name": "convert_to", "json_path": .string(given.path.description)]]))
        }
        if elements.count > 1 { throw .tooLong(1, at: given.path) }
        _ = try elements[0].object()
        return elements[0]
    }

    private static func module(_ one: JSONCursor, of source: Module, _ catalog: Catalog) throws(Rejection) -> Module {
        try LeadOrder.module(try one.required("module"), among: targets(of: source), catalog)
    }
}

/// Makes an order or an invoice of a quote, or an invoice of an order (`metadata/conversions.md`).
package struct InventoryConverter {
    /// Fields of one meaning under two names.
    private static let aliases = [("Deal_Name", "Deal_Name__s")]
    /// What each document decides for itself.
    private static let own: Set<String> = ["Owner", "Layout", "Status", "Quote_Stage", "Currency_Symbol"]
    private static let firstStatus = "Created"

    private let order: InventoryOrder
    private let records: RecordStore
    private let scope: WriteScope

    package init(_ order: InventoryOrder, _ records: RecordStore, _ scope: WriteScope) {
        self.order = order
        self.records = records
        self.scope = scope
    }

    package func convert(_ id: RecordID, of module: Module) throws -> Record {
        try scope.access.require(.convert, module)
        let parent = try locked(id, module)
        var child = Record(order.target, id: scope.ids.next())
        fill(&child, from: parent)
        let tags = order.carriesTags ? try TagStore.names(of: id, scope.tx) : []
        let made = try records.add(JSONCursor(try lines(of: parent), at: order.path), to: child, tags: tags, scope).get()
        try Conversions.add(parent, into: made, scope)
        let what: JSONValue = [order.target.apiName: ["id": .id(made.id), "name": .string(made.displayName)]]
        try ChangeLog.append([.init(record: parent, kind: .converted, after: what)], scope)
        try moveFollowers(of: parent, to: made)
        return made
    }

    /// What the document points at is held before it is locked, as every writer does.
    private func locked(_ id: RecordID, _ module: Module) throws -> Record {
        let planner = Planner(scope.catalog, scope.access)
        let shown = try planner.rows([id], of: module, for: .convert, locked: false, scope.tx)
        guard let seen = shown[id] else { throw shown.refusal(of: id, else: .invalidPathID(1)) }
        try HeldReferences(module.fields.compactMap { seen.target(of: $0) }).hold(scope)
        guard let row = try planner.rows([id], of: module, for: .convert, scope.tx)[id] else { throw Rejection.invalidPathID(1) }
        if row.heldByMerge != nil { throw Rejection(.recordLocked, .resourcePathIndex(1)) }
        if try Conversions.holds(id, scope.tx) { throw Rejection(.idAlreadyConverted, .resourcePathIndex(1)) }
        do throws(Rejection) {
            try LockingConfiguration.refuse(.convert, on: row, scope)
        } catch {
            throw Rejection(
                .recordLocked, message: "You cannot perform this operation as the record is locked.", .resourcePathIndex(1))
        }
        return row
    }

    /// Values of fields that both have under one name and in one kind; the rest of the table is by meaning.
    private func fill(_ child: inout Record, from parent: Record) {
        for field in parent.module.fields where RecordStore.isCopied(field, parent.module) && !Self.own.contains(field.apiName) {
            let names = [field.apiName] + Self.aliases.filter { $0.0 == field.apiName }.map(\.1)
            guard let same = names.compactMap({ order.target.field($0) }).first, same.type.dataType == field.type.dataType,
                same.target == field.target, same.creatable, same.plainType.storage == field.plainType.storage
            else { continue }
            child.take(same, from: parent, field)
        }
        let back = child.module.fields.first { $0.target == parent.module.id && $0.creatable && !$0.columns.isEmpty }
        if let back { child[back] = .integer(parent.id.raw) }
        child["Status"] = .text(Self.firstStatus)
        child["Owner"] = order.owner.map { .integer($0.id.raw) } ?? parent["Owner"]
    }

    /// The lines, as a caller would send them: the copies pass the same checks and are added up anew.
    private func lines(of parent: Record) throws -> JSONValue {
        let mine = parent.module.rowFields(scope.catalog).first { $0.module.holdsLines }
        let theirs = order.target.rowFields(scope.catalog).first { $0.module.holdsLines }
        guard let mine, let theirs else { return [:] }
        let others = Set(parent.module.fields.map(\.apiName)).subtracting([mine.field.apiName])
        let items = try records.rowItems(of: parent, except: others, scope).first?.1 ?? []
        return [theirs.field.apiName: .array(items)]
    }

    private func moveFollowers(of parent: Record, to child: Record) throws {
        let repointing = Repointing(Succession(heir: Holder(child), leavers: [Holder(parent)]), scope)
        for (module, field) in scope.catalog.inbound(to: parent.module.id) where order.followers.contains(where: { $0.id == module.id }) {
            guard let table = module.table, repointing.canPoint(field) else { continue }
            _ = try repointing.move(field, of: module, table)
        }
    }
}

/// Converts up to fifty quotes or orders, one transaction each. Contract: convert-inventory-records, 140 and 141.
package struct MassConvertInventoryJob: JobHandler {
    package static let kind = "mass_convert_inventory"

    package init() {}

    package static func schedule(
        _ ids: [(id: RecordID, path: JSONPath)], of module: Module, body: JSONCursor, _ scope: WriteScope
    ) throws -> RecordID {
        try scope.access.require(.create, try InventoryOrder(mass: body, of: module, scope.catalog).target)
        return try MassConversion.schedule(kind, ids, of: module, body, scope)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let records = services.records
        try await MassConversion.run(job, services) { id, module, body, scope in
            _ = try InventoryConverter(try InventoryOrder(mass: body, of: module, scope.catalog), records, scope).convert(id, of: module)
        }
    }
}
