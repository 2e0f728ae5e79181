import CRMCore
import HTTPShell
import Metadata
import Wire

/// What happened to a record. Contract: records, 134; merge, §6 and §9 for the histories of merged records.
enum GetTimeline: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/__timeline", entry: "134", scope: .modules(["READ"]))

    private static let modules: Set<String> = [
        "Leads", "Contacts", "Accounts", "Deals", "Tasks", "Events", "Calls", "Products", "Services__s", "Appointments__s",
        "Purchase_Orders", "Sales_Orders",
        "Quotes", "Invoices", "Notes",
    ]
    private static let innerDetails = [
        "field_history.data_type", "field_history.field_label", "field_history.enable_colour_code", "field_history.pick_list_values",
        "done_by.type__s",
        "done_by.profile",
    ]

    struct Input: EndpointInput {
        let question: Timeline.Question
        let page: Int
        let passed: Int64
        let inner: Set<String>
        /// Which of `type` and `extension` entries show.
        let include: Set<String>
        let binding: PageToken.Binding

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let module = try request.module(context)
            guard modules.contains(module.apiName) || module.generatedType == "custom" else { throw .invalidModule() }
            let record = try request.recordID()
            inner = try Self.inner(request)
            let (include, signals) = try Self.included(request)
            self.include = include
            let filters = request.query("filters") ?? ""
            let filter = filters.isEmpty ? .everything : try TimelineFilter(context: context).read(filters)
            let descending = try Self.descending(request)
            binding = PageToken.Binding(
                key: context.services.pageKey, user: context.access.user.raw,
                parameters: ["timeline", module.apiName, String(record.raw), filters, descending ? "desc" : "asc"].joined(
                    separator: "\u{1F}"))
            if let text = request.query("page_token"), !text.isEmpty {
                for other in ["per_page", "page"] where !(request.query(other) ?? "").isEmpty {
                    throw Rejection(
                        .ambiguityDuringProcessing, .other("ambiguity_due_to", [["param": .string(other)], ["param": "page_token"]]))
                }
                // The key of a timeline's token is the length of its pages.
                let token = try PageToken(text, binding, now: context.now)
                page = token.page
                passed = token.passed
                question = .init(
                    module: module, record: record, filter: filter, descending: descending, after: token.id.raw,
                    back: token.direction == .backward, skipping: 0,
                    limit: Int(token.key ?? 200), signals: signals)
                return
            }
            let numbered = try NumberedPage(request).within(2_000, or: .discretePaginationLimitExceeded)
            page = numbered.page
            passed = Int64(numbered.skipped)
            question = .init(
                module: module, record: record, filter: filter, descending: descending, after: nil, skipping: numbered.skipped,
                limit: numbered.perPage, signals: signals)
        }

        /// `include_timeline_type` asks for signals, and needs `include`.
        private static func included(_ request: ParsedRequest) throws(Rejection) -> (Set<String>, signals: Bool) {
            func words(_ name: String, _ known: [String]) throws(Rejection) -> Set<String> {
                let words = (request.query(name) ?? "").split(separator: ",").map { String($0.filter { $0 != " " }) }
                guard words.allSatisfy(known.contains) else { throw Rejection(.invalidData, .parameter(name), .supportedValues(known)) }
                return Set(words)
            }
            let include = try words("include", ["extension", "type"])
            let types = try words("include_timeline_type", ["signals"])
            if !types.isEmpty, include.isEmpty { throw .missingParameter("include") }
            return (include, !types.isEmpty)
        }

        private static func inner(_ request: ParsedRequest) throws(Rejection) -> Set<String> {
            let names = (request.query("include_inner_details") ?? "").split(separator: ",").map { String($0.filter { $0 != " " }) }
            guard names.allSatisfy(innerDetails.contains) else {
                throw Rejection(.invalidData, .parameter("include_inner_details"), .supportedValues(innerDetails))
            }
            return Set(names)
        }

        private static func descending(_ request: ParsedRequest) throws(Rejection) -> Bool {
            if let field = request.query("sort_by"), !field.isEmpty, field != "audited_time" {
                throw Rejection(.invalidData, .parameter("sort_by"), .supportedValues(["audited_time"]))
            }
            switch request.query("sort_order")?.lowercased() {
            case nil, "", "desc": return true
            case "asc": return false
            default: throw Rejection(.invalidData, .parameter("sort_order"), .supportedValues(["asc", "desc"]))
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let found = try await context.records.timeline(input.question) else { throw Rejection.invalidPathID(1) }
        guard !found.entries.isEmpty else { return .nothing }
        let answers = TimelineAnswers(
            question: input.question, name: found.name, inner: input.inner, include: input.include, context: context)
        return .json(["__timeline": .array(found.entries.map(answers.entry)), "info": info(found, input, context)])
    }

    private static func info(_ found: Timeline.Page, _ input: Input, _ context: RequestContext) -> JSONValue {
        let limit = Int64(input.question.limit)
        func leading(_ direction: PageToken.Direction, _ from: Timeline.Entry?, _ page: Int, _ passed: Int64) -> JSONValue {
            guard let from else { return .null }
            let token = PageToken(
                direction, key: limit, id: RecordID(raw: from.sequence), page: page, passed: passed,
                expires: Instant(milliseconds: context.now.milliseconds + PageToken.lifetime))
            return .string(token.sealed(input.binding))
        }
        let next =
            found.more ? leading(.forward, found.entries.last, input.page + 1, input.passed + Int64(found.entries.count)) : .null
        let previous = input.page > 1 ? leading(.backward, found.entries.first, input.page - 1, max(0, input.passed - limit)) : .null
        return [
            "per_page": .integer(input.question.limit), "next_page_token": next, "count": .integer(found.entries.count),
            "page": .integer(input.page),
            "previous_page_token": previous, "more_records": .bool(found.more),
        ]
    }
}

/// Entries of a timeline as answers show them.
private struct TimelineAnswers {
    let question: Timeline.Question
    let name: String?
    let inner: Set<String>
    let include: Set<String>
    let context: RequestContext

    func entry(_ entry: Timeline.Entry) -> JSONValue {
        let parent: JSONValue = [
            "module": ["name": .string(question.module.apiName), "id": .string(String(question.module.id.raw))],
            "name": name.map(JSONValue.string) ?? .null,
            "id": .id(question.record),
        ]
        var shown: JSONValue = [
            "id": .string(String(entry.sequence)), "action": .string(entry.action), "source": .string(entry.source),
            "audited_time": context.shown(entry.at),
            "done_by": doneBy(entry.user),
            "record": ["module": entry.module.shown, "name": entry.name.map(JSONValue.string) ?? .null, "id": .id(entry.record)],
            "related_record": entry.isRelated ? parent : .null, "automation_details": entry.automation,
            "field_history": entry.fields.isEmpty ? .null : .array(entry.fields.map(history)),
        ]
        if include.contains("type") { shown["type"] = entry.signal == nil ? "record" : "signals" }
        if include.contains("extension") { shown["extension"] = entry.signal.map { .string($0.source.namespace) } ?? .null }
        return shown
    }

    private func doneBy(_ id: Int64) -> JSONValue {
        var shown = context.shownUser(id)
        guard !shown.isNull, let user = context.catalog.user(UserID(raw: id)) else { return shown }
        if inner.contains("done_by.type__s") { shown["type__s"] = user.body["type__s"] ?? .null }
        if inner.contains("done_by.profile") { shown["profile"] = user.body["profile"] ?? .null }
        return shown
    }

    private func history(_ change: Timeline.FieldChange) -> JSONValue {
        let field = change.field
        var shown: JSONValue = [
            "id": .string(String(field.id.raw)), "api_name": .string(field.apiName),
            "_value": ["old": change.old.map(JSONValue.string) ?? .null, "new": change.new.map(JSONValue.string) ?? .null],
        ]
        if inner.contains("field_history.data_type") { shown["data_type"] = .string(field.type.dataType) }
        if inner.contains("field_history.field_label") { shown["field_label"] = .string(field.label) }
        if inner.contains("field_history.enable_colour_code") { shown["enable_colour_code"] = field.body["enable_colour_code"] ?? false }
        if inner.contains("field_history.pick_list_values") { shown["pick_list_values"] = field.body["pick_list_values"] ?? [] }
        return shown
    }
}
