import Metadata
import SQLStore
import Wire

/// A stretch of an export as text, and where it ended.
struct ExportRows: Sendable {
    var bytes: [UInt8] = []
    var count = 0
    var last: RecordID?
    var more = false

    /// Rows as comma-separated values; moments in ISO form as the zone's clocks show them.
    static func csv(_ plan: ExportPlan, _ context: RenderContext, _ tx: Transaction) throws -> ExportRows {
        var rows = ExportRows()
        var text = CSVText(capacity: plan.limit * 256)
        try tx.forEach(plan.sql) { row in
            guard rows.count < plan.limit else {
                rows.more = true
                return
            }
            let id = row.integer(0) ?? 0
            text.plain(String(id))
            for (index, form) in plan.forms.enumerated() { write(form, row, index + 1, context, &text) }
            text.endLine()
            rows.last = RecordID(raw: id)
            rows.count += 1
        }
        rows.bytes = text.bytes
        return rows
    }

    private static func write(
        _ form: ExportPlan.Form, _ row: borrowing Row, _ column: Int, _ context: RenderContext, _ text: inout CSVText
    ) {
        if case .constant(let bytes) = form { return bytes.withUnsafeBufferPointer { text.cell($0) } }
        if case .sealed(let cipher, let plain) = form { return sealed(cipher, plain, row, column, context, &text) }
        guard !row.isNull(column) else { return text.empty() }
        switch form {
        case .constant, .sealed: break
        case .text: row.withText(column) { text.cell($0 ?? .init(start: nil, count: 0)) }
        case .whole: text.plain(String(row.integer(column) ?? 0))
        case .real: text.plain(JSONValue.real(row.real(column) ?? 0).text)
        case .flag: text.plain(row.integer(column) == 0 ? "false" : "true")
        case .instant:
            let instant = Instant(milliseconds: row.integer(column) ?? 0)
            text.plain(instant.iso(offsetMinutes: context.zone.offsetMinutes(at: instant)))
        case .module: text.cell(context.moduleNames[row.integer(column) ?? 0] ?? "")
        case .choices: text.cell(elements(row, column).compactMap(\.string).joined(separator: ";"))
        case .tags: text.cell(elements(row, column).compactMap { $0["name"]?.string }.joined(separator: ";"))
        }
    }

    private static func sealed(
        _ cipher: FieldCipher, _ plain: Int?, _ row: borrowing Row, _ column: Int, _ context: RenderContext, _ text: inout CSVText
    ) {
        var columns: [SQLValue] = [row.text(column).map(SQLValue.text) ?? .null]
        if let plain { columns.append(row.value(plain, as: cipher.plain.storage.first ?? .text)) }
        switch (cipher.plain.cell, cipher.open(columns)) {
        case (_, .null), (_, .blob): text.empty()
        case (.instant, .integer(let milliseconds)):
            let instant = Instant(milliseconds: milliseconds)
            text.plain(instant.iso(offsetMinutes: context.zone.offsetMinutes(at: instant)))
        case (_, .integer(let number)): text.plain(String(number))
        case (_, .real(let number)): text.plain(JSONValue.real(number).text)
        case (_, .text(let plain)): text.cell(plain)
        }
    }

    private static func elements(_ row: borrowing Row, _ column: Int) -> [JSONValue] {
        row.text(column).flatMap { try? JSONValue.parse(Array($0.utf8)) }?.array ?? []
    }
}
