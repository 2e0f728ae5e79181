import Metadata
import SQLStore
import Wire

/// Runs a plan and writes its rows as JSON, from the engine's buffers straight into the answer's.
package enum RecordReader {
    /// What a page was, besides its bytes.
    package struct Page: Sendable {
        package var count = 0
        package var more = false
        package var first: Position?
        package var last: Position?
    }

    /// Where a row stood in the order, to go on from.
    package struct Position: Sendable {
        package let key: Int64?
        package let id: RecordID
    }

    private static let id = JSONKey("id"), name = JSONKey("name"), module = JSONKey("module")

    /// Writes the elements of the `data` array. The caller has begun it, and ends it.
    package static func write(
        _ plan: QueryPlan, _ context: RenderContext, _ tx: Transaction, rows: RowValues = RowValues(), to json: inout JSONWriter
    ) throws -> Page {
        var writing = Writing(plan, context, rows: rows)
        try tx.forEach(plan.rendered(tx)) { row in writing.take(row, to: &json) }
        return writing.page
    }

    /// The rows of a plan as they come.
    struct Writing {
        private let plan: QueryPlan
        private let context: RenderContext
        private let rows: RowValues
        private(set) var page = Page()

        init(_ plan: QueryPlan, _ context: RenderContext, rows: RowValues = RowValues()) {
            self.plan = plan
            self.context = context
            self.rows = rows
        }

        mutating func take(_ row: borrowing Row, to json: inout JSONWriter) {
            if page.count == plan.limit {
                page.more = true
                return
            }
            json.beginObject()
            writeCells(row, to: &json)
            for (key, value) in plan.constants {
                json.key(key)
                json.raw(value)
            }
            if plan.systemKeys { writeSystemKeys(plan, row, context, rows, to: &json) }
            json.endObject()
            let position = Position(key: row.integer(plan.orderColumn), id: RecordID(raw: row.integer(plan.idColumn) ?? 0))
            if page.count == 0 { page.first = position }
            page.last = position
            page.count += 1
        }

        private func writeCells(_ row: borrowing Row, to json: inout JSONWriter) {
            plan.keys.withUnsafeBufferPointer { keys in
                plan.cells.withUnsafeBufferPointer { cells in
                    for cell in cells {
                        if cell.form == .close {
                            json.endObject()
                            continue
                        }
                        json.key(escaped: UnsafeBufferPointer(rebasing: keys[Int(cell.keyStart)..<Int(cell.keyStart + cell.keyLength)]))
                        switch cell.form {
                        case .rows: rows.write(Int(cell.column), to: &json)
                        case .sealed: writeSealed(cell, plan.ciphers[Int(cell.name)], row, context, to: &json)
                        default: write(cell, row, context, to: &json)
                        }
                    }
                }
            }
        }
    }

    private static func write(_ cell: QueryPlan.Cell, _ row: borrowing Row, _ context: RenderContext, to json: inout JSONWriter) {
        let column = Int(cell.column)
        if cell.form == .open { return json.beginObject() }
        guard column >= 0, !row.isNull(column) else { return json.null() }
        switch cell.form {
        case .open, .close, .sealed: break
        case .text: row.withText(column) { json.text($0 ?? .init(start: nil, count: 0)) }
        case .json: row.withText(column) { json.raw($0 ?? .init(start: nil, count: 0)) }
        case .digits: json.digits(row.integer(column) ?? 0)
        case .number: json.integer(row.integer(column) ?? 0)
        case .real: json.double(row.real(column) ?? 0)
        case .flag: json.bool(row.integer(column) != 0)
        case .instant:
            let instant = Instant(milliseconds: row.integer(column) ?? 0)
            json.string(instant.iso(offsetMinutes: context.zone.offsetMinutes(at: instant)))
        case .user: known(context.users, row.integer(column) ?? 0, to: &json)
        case .person: known(context.people, row.integer(column) ?? 0, to: &json)
        case .reference:
            json.beginObject()
            json.key(id)
            json.digits(row.integer(column) ?? 0)
            json.endObject()
        case .layout: known(context.layouts, row.integer(column) ?? 0, to: &json)
        case .moduleName: json.string(context.moduleNames[row.integer(column) ?? 0] ?? "")
        case .lookup: reference(cell, row, column, nil, to: &json)
        case .anyLookup: reference(cell, row, column, context, to: &json)
        case .files, .images:
            row.withText(column) { text in
                if let text { FileValueWriter.write(text, images: cell.form == .images, context, to: &json) } else { json.null() }
            }
        case .territories, .territoryNames:
            row.withText(column) { text in
                guard let text else { return json.null() }
                if cell.form == .territories {
                    TerritoryValueWriter.write(text, context, to: &json)
                } else {
                    TerritoryValueWriter.writeNames(text, context, to: &json)
                }
            }
        case .absent, .rows: row.withText(column) { json.raw($0 ?? .init(start: nil, count: 0)) }
        }
    }

    /// A value of an encrypted field, in the form of its own type.
    private static func writeSealed(
        _ cell: QueryPlan.Cell, _ cipher: FieldCipher, _ row: borrowing Row, _ context: RenderContext, to json: inout JSONWriter
    ) {
        let column = Int(cell.column)
        var columns: [SQLValue] = [row.text(column).map(SQLValue.text) ?? .null]
        if cipher.isMixed { columns.append(row.value(column + 1, as: cipher.plain.storage.first ?? .text)) }
        let value = cipher.open(columns)
        switch (cipher.plain.cell, value) {
        case (_, .null): json.null()
        case (.digits, .integer(let number)): json.digits(number)
        case (.instant, .integer(let milliseconds)):
            let instant = Instant(milliseconds: milliseconds)
            json.string(instant.iso(offsetMinutes: context.zone.offsetMinutes(at: instant)))
        case (_, .integer(let number)): json.integer(number)
        case (_, .real(let number)): json.double(number)
        case (_, .text(let text)): json.string(text)
        case (_, .blob): json.null()
        }
    }

    /// `{"name","id"}`, with the module where a field may point into several. A lookup to a record that is gone reads as null.
    private static func reference(
        _ cell: QueryPlan.Cell, _ row: borrowing Row, _ column: Int, _ context: RenderContext?, to json: inout JSONWriter
    ) {
        let nameColumn = Int(cell.name)
        guard nameColumn >= 0 else { return json.digits(row.integer(column) ?? 0) }
        guard !row.isNull(nameColumn) else { return json.null() }
        json.beginObject()
        if let context, let shown = context.modules[row.integer(nameColumn + 1) ?? 0] {
            json.key(module)
            json.raw(shown)
        }
        json.key(name)
        row.withText(nameColumn) { json.text($0 ?? .init(start: nil, count: 0)) }
        json.key(id)
        json.digits(row.integer(column) ?? 0)
        json.endObject()
    }

    private static func known(_ shown: [Int64: [UInt8]], _ id: Int64, to json: inout JSONWriter) {
        if let bytes = shown[id] { json.raw(bytes) } else { json.null() }
    }
}
