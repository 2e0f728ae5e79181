import CRMCore
import HTTPShell
import Metadata
import Wire

/// The conditions that list parameters stand for.
struct ListFilter {
    let condition: Condition

    init(_ request: ParsedRequest, _ module: Module, _ context: RequestContext) throws(Rejection) {
        let converted = request.query("converted")
        var condition = try Self.approved(request.query("approved"))
        if let ids = request.query("ids"), !ids.isEmpty { condition = condition.and(.ids(try ParsedRequest.ids(ids, "ids", limit: 100))) }
        if let territory = try TerritorySelection(request, module, context.catalog) {
            condition = condition.and(territory.condition(context.catalog))
        }
        if let view = request.query("cvid"), !view.isEmpty {
            if let sort = request.query("sort_by"), !sort.isEmpty {
                throw Rejection(.ambiguityDuringProcessing, .other("ambiguity_due_to", [["param": "cvid"], ["param": "sort_by"]]))
            }
            let criteria = try Self.criteria(view, module, context)
            condition = condition.and(try Self.read(criteria, module, context))
            // A view of converted leads shows them without being asked twice.
            let isAsked = converted.map { !$0.isEmpty } ?? false
            condition = condition.and(
                isAsked ? try Self.converted(converted, module) : Conversions.condition(besides: criteria, of: module))
        } else {
            condition = condition.and(try Self.converted(converted, module))
        }
        self.condition = condition
    }

    /// Converted leads are left out unless asked for.
    static func converted(_ text: String?, _ module: Module) throws(Rejection) -> Condition {
        guard module.field("Converted__s") != nil else { return .always }
        switch text?.lowercased() {
        case nil, "", "false": return .test(field: "Converted__s", .equal, [false])
        case "true": return .test(field: "Converted__s", .equal, [true])
        case "both": return .always
        default: throw Rejection(.invalidData, .parameter("converted"), .supportedValues(["true", "false", "both"]))
        }
    }

    /// Records wait for no approval, so all are approved.
    static func approved(_ text: String?) throws(Rejection) -> Condition {
        switch text?.lowercased() {
        case nil, "", "true", "both": return .always
        case "false": return .any([])
        default: throw Rejection(.invalidData, .parameter("approved"), .supportedValues(["true", "false", "both"]))
        }
    }

    static func modified(after since: Instant, _ module: Module) -> Condition {
        .test(field: "Modified_Time", .greater, [.string(since.iso(offsetMinutes: 0))])
    }

    private static func criteria(_ text: String, _ module: Module, _ context: RequestContext) throws(Rejection) -> JSONValue {
        let view = context.catalog.documents(.customView).first { String($0.id.raw) == text && $0.parent?.raw == module.id.raw }
        guard let view else { throw .invalidParameter("cvid") }
        return view.body["criteria"] ?? .null
    }

    private static func read(_ criteria: JSONValue, _ module: Module, _ context: RequestContext) throws(Rejection) -> Condition {
        let dates = MovingDates(now: context.now, zone: context.zone, of: context.catalog)
        return try CriteriaReader(module: module, user: context.access.user, dates: dates).read(criteria)
    }
}
