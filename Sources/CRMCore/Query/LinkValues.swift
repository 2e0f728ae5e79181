import Metadata
import SQLStore
import Wire

/// What to show of the row of a linking module that joins each listed record to the one whose list it is.
package struct LinkValues: Sendable {
    package let link: Module
    let mine: Field
    let theirs: Field
    let module: ModuleID
    let record: RecordID
    /// Fields of the linking module among the record's own.
    package var fields: [Field]
    /// A member of the record that holds the row's id, times and these fields.
    package var group: (key: String, fields: [Field])?
    /// What the ids in a field stand for; shown in their place.
    package var labels: [FieldID: [(id: Int64, shown: JSONValue)]] = [:]

    package init(_ relation: LinkRelation, record: RecordID, fields: [Field] = []) {
        link = relation.link
        mine = relation.mine
        theirs = relation.theirs
        module = relation.module.id
        self.record = record
        self.fields = fields
    }
}

extension Selection {
    mutating func add(_ values: LinkValues, of listed: Module) {
        guard let table = values.link.table, let mine = values.mine.columns.first, let theirs = values.theirs.columns.first else { return }
        var on: SQL = "\(mine, of: "k") = \(values.record) AND \(theirs, of: "k") = t.id"
        if values.mine.columns.count == 2 { on += " AND \(values.mine.columns[1], of: "k") = \(.literal(values.module.raw))" }
        if values.theirs.columns.count == 2 { on += " AND \(values.theirs.columns[1], of: "k") = \(.literal(listed.id.raw))" }
        joins.append(" LEFT JOIN \(table) k ON \(on)")
        for field in values.fields { add(field, values) }
        guard let group = values.group else { return }
        cell(.open, key: JSONKey(group.key), column: -1)
        for name in ["Created_Time", "Modified_Time"] { if let field = values.link.field(name) { add(field, values) } }
        for field in group.fields { add(field, values) }
        cell(.digits, key: JSONKey("id"), column: add("k.id"))
        cell(.close, key: JSONKey(""), column: -1)
    }

    private mutating func add(_ field: Field, _ values: LinkValues) {
        guard let column = field.columns.first else { return }
        guard let labels = values.labels[field.id] else { return cell(field.type.cell, key: field.key, column: add("\(column, of: "k")")) }
        let branches = labels.map { " WHEN \(.literal($0.id)) THEN \(.text($0.shown.text))" as SQL }
        let shown: SQL = branches.isEmpty ? "NULL" : "CASE \(column, of: "k")\(.joined(branches, by: "")) END"
        cell(.json, key: field.key, column: add(shown))
    }
}
