import Metadata
import SQLStore
import Wire

extension RecordReader {
    /// Keys that are the same for every record as long as approval, review and wizards are not in use.
    private static let constant: [(JSONKey, [UInt8])] = [
        (JSONKey("$field_states"), Array("null".utf8)),
        (JSONKey("$review_process"), Array(#"{"approve":false,"reject":false,"resubmit":false}"#.utf8)),
        (JSONKey("$review"), Array("null".utf8)), (JSONKey("$process_flow"), Array("false".utf8)),
        (JSONKey("$state"), Array(#""save""#.utf8)),
        (JSONKey("$approved"), Array("true".utf8)), (JSONKey("$approval_state"), Array(#""approved""#.utf8)),
        (JSONKey("$approval"), Array(#"{"delegate":false,"takeover":false,"approve":false,"reject":false,"resubmit":false}"#.utf8)),
        (JSONKey("$sharing_permission"), Array(#""full_access""#.utf8)), (JSONKey("$editable"), Array("true".utf8)),
        (JSONKey("$orchestration"), Array("null".utf8)), (JSONKey("$pathfinder"), Array("null".utf8)),
        (JSONKey("$canvas_id"), Array("null".utf8)),
        (JSONKey("$zia_visions"), Array("null".utf8)), (JSONKey("$wizard_connection_path"), Array("null".utf8)),
    ]
    private static let inMerge = JSONKey("$in_merge"), lockedForMe = JSONKey("$locked_for_me"), currencySymbol = JSONKey("$currency_symbol")
    private static let hasMore = JSONKey("$has_more"), editable = JSONKey("$editable"), sharing = "$sharing_permission"
    private static let process = JSONKey("$process_flow")

    /// A member that is the same for every record, by its name.
    package static func constant(_ name: some StringProtocol) -> JSONValue.Member? {
        guard let found = constant.first(where: { $0.0.name == name }), let value = try? JSONValue.parse(found.1) else { return nil }
        return .init(found.0.name, value)
    }

    /// The `$` keys of a single record (`common.md` §11).
    static func writeSystemKeys(
        _ plan: QueryPlan, _ row: borrowing Row, _ context: RenderContext, _ rows: RowValues, to json: inout JSONWriter
    ) {
        json.key(hasMore)
        json.value(rows.hasMore(plan.rows))
        json.key(currencySymbol)
        let code = plan.currencyColumn >= 0 ? row.text(plan.currencyColumn) : nil
        json.string(code.flatMap { context.currencySymbols[$0] } ?? context.currencySymbol)
        json.key(inMerge)
        json.bool(!row.isNull(plan.mergeColumn))
        json.key(lockedForMe)
        json.bool(plan.lockColumn >= 0 && row.integer(plan.lockColumn) == 1)
        writeConversion(plan, row, context, to: &json)
        let isClosed = plan.conversion.map { !$0.targets.isEmpty && !row.isNull($0.user) } ?? false
        json.key(editable)
        json.bool(!isClosed && (plan.editableColumn < 0 || row.integer(plan.editableColumn) == 1))
        json.key(process)
        json.bool(plan.processColumn >= 0 && (row.integer(plan.processColumn) ?? 0) > 0)
        for (key, bytes) in constant
        where key.name != editable.name && key.name != process.name && !(plan.tellsSharing && key.name == sharing) {
            json.key(key)
            json.raw(bytes)
        }
    }
}
