import Metadata
import Wire

/// What a bulk read was asked, in a form the job's row can keep. Names were checked when it was asked, and are again when it runs.
package struct BulkReadRequest: Sendable {
    package let module: ModuleID
    /// `nil` asks for every column.
    package let fields: [String]?
    package let view: RecordID?
    package let criteria: JSONValue
    package let page: Int
    /// Goes on behind this record instead of counting pages.
    package let after: RecordID?
    package let isCalendar: Bool
    package let callback: Callback?

    package init(
        module: ModuleID, fields: [String]?, view: RecordID?, criteria: JSONValue, page: Int, after: RecordID? = nil, isCalendar: Bool,
        callback: Callback?
    ) {
        self.module = module
        self.fields = fields
        self.view = view
        self.criteria = criteria
        self.page = page
        self.after = after
        self.isCalendar = isCalendar
        self.callback = callback
    }

    package init(kept: JSONValue) {
        self.init(
            module: ModuleID(raw: kept["module"]?.looseInt64 ?? 0), fields: kept["fields"]?.array?.compactMap(\.string),
            view: kept["view"]?.looseInt64.map(RecordID.init(raw:)), criteria: kept["criteria"] ?? .null,
            page: kept["page"]?.int64.map(Int.init) ?? 1, after: kept["after"]?.looseInt64.map(RecordID.init(raw:)),
            isCalendar: kept["calendar"]?.bool ?? false, callback: Callback(kept["callback"]))
    }

    package var kept: JSONValue {
        [
            "module": .string(String(module.raw)), "fields": fields.map { .array($0.map(JSONValue.string)) } ?? .null,
            "view": view.map(JSONValue.id) ?? .null, "criteria": criteria, "page": .integer(page),
            "after": after.map(JSONValue.id) ?? .null, "calendar": .bool(isCalendar),
            "callback": callback.map { ["url": .string($0.url)] } ?? .null,
        ]
    }

    /// The page behind one that has ended at `last`.
    package func next(after last: RecordID, callback: Callback?) -> BulkReadRequest {
        BulkReadRequest(
            module: module, fields: fields, view: view, criteria: criteria, page: page + 1, after: last, isCalendar: isCalendar,
            callback: callback)
    }

    /// The names resolved. A column that is gone is left out: the request was right when it was made.
    package func query(_ catalog: Catalog, user: UserID, dates: MovingDates) throws(Rejection) -> ExportQuery {
        guard let module = catalog.module(id: module) else { throw Rejection(.moduleNotAvailable) }
        var filter = Condition.always
        let reader = CriteriaReader(module: module, user: user, dates: dates, catalog: catalog)
        if let view {
            guard let document = catalog.documents(.customView).first(where: { $0.id == view && $0.parent?.raw == module.id.raw }) else {
                throw Rejection(.cvidNotSupported, .apiName("cvid"))
            }
            filter = filter.and(try reader.read(document.body["criteria"] ?? .null))
        }
        filter = filter.and(try reader.read(criteria))
        let names = isCalendar ? EventCalendar.fields : fields
        let columns =
            names.map { names in names.compactMap { try? ExportQuery.column($0, of: module, catalog) } } ?? ExportQuery.columns(of: module)
        return ExportQuery(module: module, columns: columns, filter: filter)
    }
}
