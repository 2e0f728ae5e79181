import CRMCore
import HTTPShell
import Metadata
import Wire

/// The criteria of an audit export: a leaf, or a group of at most two criteria joined by `and`. Contract: export-audit-log, 37.
struct AuditCriteria {
    private static let fields = ["action", "done_by", "module", "audited_time"]
    private static let groupLimit = 2
    private static let dayMilliseconds: Int64 = 86_400_000

    private let catalog: Catalog

    init(_ context: RequestContext) { catalog = context.catalog }

    func filter(_ criteria: JSONCursor) throws(Rejection) -> AuditFilter { AuditFilter(try conditions(criteria)) }

    private func conditions(_ criteria: JSONCursor) throws(Rejection) -> [AuditFilter.Condition] {
        guard !(try criteria.object()).isEmpty else {
            throw Rejection(
                .expectedFieldMissing,
                .other(
                    "expected_fields",
                    .array(
                        ["field", "group"].map { ["api_name": .string($0), "json_path": .string(criteria.path.appending($0).description)] })
                ))
        }
        let group = present("group", criteria)
        let groupOperator = present("group_operator", criteria)
        guard group != nil || groupOperator != nil else { return [try condition(criteria)] }
        guard let group else { throw Self.needs("group", because: "group_operator", criteria) }
        guard let groupOperator else { throw Self.needs("group_operator", because: "group", criteria) }
        guard groupOperator.value == "and" else { throw .unsupported(["and"], at: groupOperator.path) }
        let parts = try group.elements()
        guard !parts.isEmpty else { throw .missing("group", at: criteria.path) }
        guard parts.count <= Self.groupLimit else {
            throw Rejection(.limitExceeded, .apiName("group"), .jsonPath(group.path), .other("limit", .integer(Self.groupLimit)))
        }
        var all: [AuditFilter.Condition] = []
        for part in parts { all += try conditions(part) }
        return all
    }

    private func condition(_ leaf: JSONCursor) throws(Rejection) -> AuditFilter.Condition {
        let names = ["field", "comparator", "value"]
        guard let first = names.first(where: { present($0, leaf) != nil }) else { throw .missing("field", at: leaf.path) }
        for name in names where present(name, leaf) == nil { throw Self.needs(name, because: first, leaf) }
        let field = try leaf.required("field")
        let comparator = try leaf.required("comparator")
        let value = try leaf.required("value")
        _ = try field.object()
        let name = try field.required("api_name")
        guard name.value != "" else { throw .missing("api_name", at: field.path) }
        guard let text = name.value.string, Self.fields.contains(text) else {
            throw Rejection(.notSupported, .apiName("api_name"), .jsonPath(name.path), .supportedValues(Self.fields))
        }
        let known = text == "audited_time" ? ["between"] : ["equal", "in"]
        guard let compare = comparator.value.string, known.contains(compare) else { throw .unsupported(known, at: comparator.path) }
        switch text {
        case "audited_time": return try time(value, comparator)
        case "action":
            var actions: [AuditFilter.Action] = []
            for item in try items(value, comparator, compare) {
                guard let text = item.value.string else { throw Self.mismatch(item, comparator, "text") }
                guard let action = AuditFilter.Action(rawValue: text) else {
                    throw Rejection(
                        .notSupported, .apiName(item.name), .jsonPath(item.path),
                        .supportedValues(AuditFilter.Action.allCases.map(\.rawValue)))
                }
                actions.append(action)
            }
            return .actions(actions)
        case "done_by":
            var users: [RecordID] = []
            for item in try items(value, comparator, compare) { users.append(try user(item, comparator)) }
            return .users(users)
        default:
            var modules: [ModuleID] = []
            for item in try items(value, comparator, compare) { modules.append(try module(item, comparator)) }
            return .modules(modules)
        }
    }

    /// `equal` takes one value, `in` an array.
    private func items(_ value: JSONCursor, _ comparator: JSONCursor, _ compare: String) throws(Rejection) -> [JSONCursor] {
        if compare == "equal" {
            guard value.value.array == nil else { throw Self.mismatch(value, comparator, "jsonobject") }
            return [value]
        }
        guard value.value.array != nil else { throw Self.mismatch(value, comparator, "jsonarray") }
        return try value.elements(1...100)
    }

    private func time(_ value: JSONCursor, _ comparator: JSONCursor) throws(Rejection) -> AuditFilter.Condition {
        guard let bounds = value.value.array, bounds.count == 2 else { throw Self.mismatch(value, comparator, "jsonarray") }
        var moments: [Instant] = []
        for bound in try value.elements() {
            guard let moment = bound.value.string.flatMap(Instant.init(iso:)) else { throw Self.mismatch(bound, comparator, "datetime") }
            moments.append(moment)
        }
        guard moments[0] <= moments[1] else { throw .invalid(at: value.path) }
        guard moments[1].milliseconds - moments[0].milliseconds <= AuditFilter.longestDays * Self.dayMilliseconds else {
            throw .invalid(at: value.path, message: "the audited time range exceeds the supported limit")
        }
        return .between(moments[0], moments[1])
    }

    private func user(_ item: JSONCursor, _ comparator: JSONCursor) throws(Rejection) -> RecordID {
        guard item.value.members != nil else { throw Self.mismatch(item, comparator, "jsonobject") }
        let id = try item.required("id")
        guard let raw = id.value.looseInt64 else { throw Self.mismatch(id, comparator, "bigint") }
        guard let user = catalog.user(UserID(raw: raw)) else { throw .invalid(at: id.path) }
        if let name = item.optional("name"), let text = name.value.string, text != user.fullName, text != user.body["last_name"]?.string,
            text != user.body["first_name"]?.string
        {
            throw Self.ambiguous(id, name)
        }
        return RecordID(raw: raw)
    }

    private func module(_ item: JSONCursor, _ comparator: JSONCursor) throws(Rejection) -> ModuleID {
        guard item.value.members != nil else { throw Self.mismatch(item, comparator, "jsonobject") }
        let name = try item.required("api_name")
        guard let text = name.value.string else { throw Self.mismatch(name, comparator, "text") }
        guard !text.isEmpty else { throw .missing("api_name", at: item.path) }
        guard let module = catalog.module(text), module.table != nil else { throw .invalid(at: name.path) }
        if let id = item.optional("id"), !id.value.isNull {
            guard let raw = id.value.looseInt64 else { throw Self.mismatch(id, comparator, "bigint") }
            guard raw == module.id.raw else { throw Self.ambiguous(id, name) }
        }
        return module.id
    }

    private func present(_ name: String, _ cursor: JSONCursor) -> JSONCursor? {
        cursor.optional(name).flatMap { $0.value.isNull ? nil : $0 }
    }

    private static func needs(_ name: String, because other: String, _ criteria: JSONCursor) -> Rejection {
        Rejection(
            .dependentFieldMissing, .dependee(other, criteria.path.appending(other)), .apiName(name),
            .jsonPath(criteria.path.appending(name)))
    }

    private static func mismatch(_ value: JSONCursor, _ comparator: JSONCursor, _ type: String) -> Rejection {
        Rejection(
            .dependentMismatch, .dependee("comparator", comparator.path), .apiName(value.name), .jsonPath(value.path), .expectedType(type))
    }

    private static func ambiguous(_ one: JSONCursor, _ other: JSONCursor) -> Rejection {
        Rejection(
            .ambiguityDuringProcessing,
            .other(
                "ambiguity_due_to",
                .array([one, other].map { ["api_name": .string($0.name), "json_path": .string($0.path.description)] })))
    }
}
