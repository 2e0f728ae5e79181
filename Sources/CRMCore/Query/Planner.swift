import Metadata
import SQLStore
import Wire

/// A query whose names are resolved and whose rights are checked. Only the planner makes one.
package struct QueryPlan: Sendable {
    /// One member of each answered record. Plain numbers, so that the row loop touches no reference counts.
    struct Cell: Sendable {
        let form: FieldType.CellForm
        let column: Int32
        /// The column that holds a lookup's display name.
        let name: Int32
        let keyStart: Int32
        let keyLength: Int32
    }

    package let module: Module
    let sql: SQL
    let cells: [Cell]
    /// The members' names, escaped, one after another.
    let keys: [UInt8]
    let orderColumn: Int
    let idColumn: Int
    let limit: Int
    /// Whether each record ends with the keys the system adds (`common.md` §11).
    let systemKeys: Bool
    let mergeColumn: Int
    let constants: [(key: JSONKey, value: [UInt8])]
    /// The fields whose rows the answer shows, in the order their cells name them.
    let rows: [RowField]
    /// What opens the encrypted fields of the answer, in the order their cells name them.
    let ciphers: [FieldCipher]
    /// Whether the record is locked for the caller; below zero when it never is.
    let lockColumn: Int
    /// The currency a record names; below zero while there is one only.
    let currencyColumn: Int
    /// What became of a record, where records of the module can be converted.
    let conversion: ConversionColumns?
    /// Whether a cell says how much of each record the caller may touch; the constant key for that is then left out.
    let tellsSharing: Bool
    /// Whether the caller may change each record; below zero when every one.
    let editableColumn: Int
    /// The column that says whether the row is in a blueprint; -1 where there is none for its module.
    let processColumn: Int
    /// Where the statement is kept, of a plan that is made once for many; `sql` then holds signs in place of ids.
    var place: KeptPlans.Place?

    fileprivate init(
        module: Module, sql: SQL, cells: [Cell], keys: [UInt8], orderColumn: Int, idColumn: Int, limit: Int, systemKeys: Bool,
        mergeColumn: Int, constants: [(key: JSONKey, value: [UInt8])], lockColumn: Int, currencyColumn: Int,
        conversion: ConversionColumns? = nil, rows: [RowField], ciphers: [FieldCipher], tellsSharing: Bool = false,
        editableColumn: Int = -1, processColumn: Int = -1
    ) {
        self.module = module
        self.sql = sql
        self.cells = cells
        self.keys = keys
        self.orderColumn = orderColumn
        self.idColumn = idColumn
        self.limit = limit
        self.systemKeys = systemKeys
        self.mergeColumn = mergeColumn
        self.rows = rows
        self.ciphers = ciphers
        self.constants = constants
        self.lockColumn = lockColumn
        self.currencyColumn = currencyColumn
        self.conversion = conversion
        self.tellsSharing = tellsSharing
        self.editableColumn = editableColumn
        self.processColumn = processColumn
    }
}

/// Makes plans: names to columns, lookups to joins, rights to predicates.
package struct Planner: Sendable {
    /// As the caller sees it: names of hidden fields lead nowhere.
    package let catalog: Catalog
    package let access: AccessPolicy

    package init(_ catalog: Catalog, _ access: AccessPolicy) {
        self.catalog = access.seen(catalog)
        self.access = access
    }

    package func plan(_ query: Query) throws(Rejection) -> QueryPlan {
        guard let ids = KeptPlans.ids(of: query), let user = access.rightsHolder(in: catalog) else { return try made(query) }
        let key = KeptPlans.Key(
            user: user, module: query.module.id, depth: query.depth, limit: query.limit, constants: query.constants, count: ids.count)
        return try catalog.whole.derived.value(KeptPlans.init).plan(key, ids) { (ids) throws(Rejection) in
            var query = query
            query.filter = .ids(ids)
            return try made(query)
        }
    }

    private func made(_ query: Query) throws(Rejection) -> QueryPlan {
        let query = query.seen(in: catalog)
        if let terms = query.terms { return try plan(query, terms) }
        try access.require(.view, query.module)
        guard let table = query.module.table else { throw Rejection(.invalidModule, .resourcePathIndex(0)) }
        let everything = query.fields == nil
        var select = Selection(catalog: catalog, access: access, depth: query.depth)
        select.user = access.user
        for field in query.fields ?? query.module.fields where field.apiName != "id" { select.add(field) }
        if let link = query.link { select.add(link, of: query.module) }
        let idColumn = select.addID()
        let orderColumn = select.column(for: query.order.field, of: query.module)
        if query.depth == .row, query.module.isSubform { select.addEditable() }
        let mergeColumn = select.add("\("in_merge", of: "t")")

        let lockColumn = everything ? lockedForCaller(query.module).map { select.add("\($0, of: "t")") } ?? -1 : -1
        let constants = query.constants.filter { !select.add(right: $0.name, of: query.module) }
        let tellsSharing = everything && select.add(right: "$sharing_permission", of: query.module)
        let editableColumn = everything ? select.editable(query.module).map { select.add($0) } ?? -1 : -1
        let currency = everything && !catalog.documents(.currency).isEmpty ? query.module.field("Currency")?.columns.first : nil
        let currencyColumn = currency.map { select.add("\($0, of: "t")") } ?? -1

        let conversion = everything ? select.addConversion(of: query.module) : nil
        let process = everything ? BlueprintRecords.isInProcess(query.module, catalog) : nil
        let processColumn = process.map { select.add($0) } ?? -1

        let source = try source(query, table)
        let offset: SQL = if case .offset(let skipped) = query.page, skipped > 0 { " OFFSET \(.integer(Int64(skipped)))" } else { "" }
        let sql: SQL = """
            SELECT \(.joined(select.columns, by: ", ")) FROM \(source.from)\(.joined(select.joins, by: "")) WHERE \(source.filter) \
            ORDER BY \(source.order) LIMIT \(.integer(Int64(query.limit) + 1))\(offset)
            """
        return QueryPlan(
            module: query.module, sql: sql, cells: select.cells, keys: select.keys, orderColumn: orderColumn, idColumn: idColumn,
            limit: query.limit,
            systemKeys: everything, mergeColumn: mergeColumn, constants: constants.map { (JSONKey($0.name), $0.value.encoded()) },
            lockColumn: lockColumn, currencyColumn: currencyColumn, conversion: conversion, rows: select.rows, ciphers: select.ciphers,
            tellsSharing: tellsSharing, editableColumn: editableColumn, processColumn: processColumn)
    }

    /// The column that says so, where the module's locks hold for the caller.
    private func lockedForCaller(_ module: Module) -> ColumnName? {
        guard let configuration = LockingConfiguration.of(module, catalog), configuration.binds(catalog.user(access.user)) else {
            return nil
        }
        return module.lockColumn
    }

    /// The door by which the planner's other files make plans: no plan without the right to view every module it reads.
    func sealed(_ select: Selection, _ sql: SQL, _ module: Module, reading others: [Module], idColumn: Int, limit: Int) throws(Rejection)
        -> QueryPlan
    {
        for read in [module] + others { try access.require(.view, read) }
        return QueryPlan(
            module: module, sql: sql, cells: select.cells, keys: select.keys, orderColumn: idColumn, idColumn: idColumn, limit: limit,
            systemKeys: false,
            mergeColumn: idColumn, constants: [], lockColumn: -1, currencyColumn: -1, rows: [], ciphers: select.ciphers)
    }
}
