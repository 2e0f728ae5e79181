import Metadata
import SQLStore
import Wire

/// Reads a blueprint from a body into the form that is kept. v7 has no call that makes one, so the shape is ours (`docs/blueprints.md`).
package struct BlueprintReader {
    package static let limitPerModule = 10
    private static let mostTransitions = 100, mostInputs = 50, mostItems = 50, mostActions = 10

    private let scope: MetadataScope
    private let module: Module
    private let field: Field

    /// Completes the draft of a blueprint; `item` is the body over what is there already.
    package static func read(_ item: JSONCursor, id: RecordID, over before: JSONValue?, _ scope: MetadataScope) throws -> JSONValue {
        let module = try module(item, scope.catalog)
        let layout = try layout(item, of: module, scope.catalog)
        let field = try field(item, of: module)
        if let before {
            for (key, value) in [("module", module.id.raw), ("layout", layout.id.raw), ("field", field.id.raw)]
            where before[key]?["id"]?.looseInt64 != value {
                throw Rejection.notAllowed(at: item.path.appending(key))
            }
        } else if Blueprint.all(of: module.id, scope.catalog).count >= limitPerModule {
            throw Rejection(.limitExceeded, .jsonPath(item.path), .other("limit", .integer(limitPerModule)))
        }
        let reader = BlueprintReader(scope: scope, module: module, field: field)
        var body = item.value
        body["module"] = ["api_name": .string(module.apiName), "id": .string(String(module.id.raw))]
        body["layout"] = ["name": layout.body["name"] ?? .null, "id": .id(layout.id)]
        body["field"] = reader.shown(field)
        body["criteria"] = try given(item, "criteria").map { try KeptCriteria.read($0, of: module, scope) } ?? JSONValue.null
        body["transitions"] = .array(try reader.transitions(try item.required("transitions"), before: before?["transitions"]?.array ?? []))
        return body
    }

    private static func given(_ item: JSONCursor, _ name: String) -> JSONCursor? {
        item.optional(name).flatMap { $0.value.isNull ? nil : $0 }
    }
    private func given(_ item: JSONCursor, _ name: String) -> JSONCursor? { Self.given(item, name) }

    private static func module(_ item: JSONCursor, _ catalog: Catalog) throws(Rejection) -> Module {
        let given = try item.required("module")
        let module = try NamedModule.read(given, catalog)
        guard Blueprint.supports(module) else { throw .invalid(at: given.path) }
        return module.whole
    }

    private static func layout(_ item: JSONCursor, of module: Module, _ catalog: Catalog) throws(Rejection) -> Document {
        let given = try item.required("layout")
        let id = given.optional("id") ?? given
        let wanted = try id.recordID()
        guard let layout = catalog.documents(.layout).first(where: { $0.id == wanted && $0.parent?.raw == module.id.raw }) else {
            throw .invalid(at: id.path)
        }
        return layout
    }

    /// The field whose options are the states.
    private static func field(_ item: JSONCursor, of module: Module) throws(Rejection) -> Field {
        let given = try item.required("field")
        guard let field = try named(given, in: module), field.type.dataType == "picklist", field.settable, !field.columns.isEmpty else {
            throw .invalid(at: given.path)
        }
        return field
    }

    /// By `api_name` or `id`, or by the name alone.
    private static func named(_ given: JSONCursor, in module: Module) throws(Rejection) -> Field? {
        if let id = try given.ownID() { return module.field(FieldID(raw: id.raw)) }
        return (given.value["api_name"] ?? given.value).string.flatMap { module.field($0) }
    }

    private func shown(_ field: Field) -> JSONValue { ["api_name": .string(field.apiName), "id": .string(String(field.id.raw))] }

    private func limited(_ given: JSONCursor?, _ most: Int) throws(Rejection) -> [JSONCursor] {
        guard let given else { return [] }
        let elements = try given.elements()
        guard elements.count <= most else {
            throw Rejection(.limitExceeded, .apiName(given.name), .jsonPath(given.path), .other("limit", .integer(most)))
        }
        return elements
    }

    // MARK: Transitions

    private func transitions(_ given: JSONCursor, before: [JSONValue]) throws -> [JSONValue] {
        let elements = try limited(given, Self.mostTransitions)
        if elements.isEmpty { throw Rejection.tooShort(1, at: given.path) }
        let known = Set(before.compactMap { $0["id"]?.looseInt64 })
        var kept: [JSONValue] = []
        for (index, element) in elements.enumerated() {
            var id = scope.ids.next()
            if let given = self.given(element, "id") {
                id = try given.recordID()
                guard known.contains(id.raw), !kept.contains(where: { $0["id"]?.looseInt64 == id.raw }) else {
                    throw Rejection.invalid(at: given.path)
                }
            }
            let transition = try transition(element, id, sequence: index + 1)
            guard !kept.contains(where: { $0["name"] == transition["name"] }) else {
                throw Rejection.duplicate(at: element.path.appending("name"))
            }
            kept.append(transition)
        }
        return kept
    }

    private func transition(_ item: JSONCursor, _ id: RecordID, sequence: Int) throws -> JSONValue {
        var kept: JSONValue = ["id": .id(id), "name": .string(try name(try item.required("name"), max: 100))]
        let type =
            try given(item, "type").map { try choice($0, Transition.Kind.allCases.map(\.rawValue)) } ?? Transition.Kind.manual.rawValue
        kept["type"] = .string(type)
        kept["sequence"] = .integer(sequence)
        var from: [JSONValue] = []
        for state in try limited(try item.required("from"), 100) { from.append(.string(try self.state(state))) }
        if from.isEmpty { throw Rejection.tooShort(1, at: item.path.appending("from")) }
        kept["from"] = .array(from)
        let to = try item.required("to")
        kept["to"] = .string(try state(to))
        guard kept["to"] != .string(Blueprint.none) else { throw Rejection.invalid(at: to.path) }
        kept["criteria"] = try given(item, "criteria").map { try KeptCriteria.read($0, of: module, scope) } ?? JSONValue.null
        for (key, most) in [("criteria_message", 250), ("color_code", 20)] {
            kept[key] = try given(item, key).map { .string(try $0.string(max: most)) } ?? JSONValue.null
        }
        kept["owners"] = .array(try limited(given(item, "owners"), 100).map(person))
        if type == Transition.Kind.automatic.rawValue {
            kept["execute_after"] = try delay(try item.required("execute_after")).json
            for key in ["fields", "notes", "attachments", "checklists"] {
                if let extra = given(item, key), extra.value != [] { throw Rejection.notAllowed(at: extra.path) }
            }
        }
        kept["fields"] = .array(try inputs(given(item, "fields")))
        for key in ["notes", "attachments"] {
            kept[key] =
                try given(item, key).map { input in
                    _ = try input.object()
                    return ["mandatory": .bool(try given(input, "mandatory")?.bool() ?? false)]
                } ?? JSONValue.null
        }
        kept["checklists"] = .array(try checkLists(given(item, "checklists")))
        kept["actions"] = .array(try limited(given(item, "actions"), Self.mostActions).map(action))
        return kept
    }

    /// One of nothing but blanks is missing (`docs/decisions/0002`).
    private func name(_ given: JSONCursor, max: Int) throws(Rejection) -> String {
        let text = try given.string(max: max)
        guard !text.isBlank else { throw Rejection(.mandatoryNotFound, .apiName(given.name), .jsonPath(given.path)) }
        return text
    }

    /// At least one minute: transitions in a ring that take no time would never end.
    private func delay(_ given: JSONCursor) throws(Rejection) -> Delay {
        let delay = try Delay(given)
        guard delay.unit >= 1 else { throw .invalid(at: given.path.appending("unit")) }
        return delay
    }

    private func choice(_ input: JSONCursor, _ allowed: [String]) throws(Rejection) -> String {
        let text = try input.string()
        guard allowed.contains(text) else { throw .unsupported(allowed, at: input.path) }
        return text
    }

    /// An option of the field that is in use, by its shown value.
    private func state(_ given: JSONCursor) throws(Rejection) -> String {
        let text = try given.string()
        if text == Blueprint.none { return text }
        guard BlueprintUse.options(field.body["pick_list_values"]?.array ?? []).contains(text) else { throw .invalid(at: given.path) }
        return text
    }

    private func person(_ given: JSONCursor) throws -> JSONValue {
        let type = try choice(try given.required("type"), ["record_owner", "users", "roles", "profiles"])
        guard type != "record_owner" else { return ["type": .string(type)] }
        let id = try given.required("id")
        let wanted = try id.recordID()
        let kinds: [String: Document.Kind] = ["users": .user, "roles": .role, "profiles": .profile]
        guard let kind = kinds[type], scope.catalog.documents(kind).contains(where: { $0.id == wanted }) else {
            throw Rejection.invalid(at: id.path)
        }
        return ["type": .string(type), "id": .id(wanted)]
    }

    private func inputs(_ given: JSONCursor?) throws -> [JSONValue] {
        var kept: [JSONValue] = []
        for item in try limited(given, Self.mostInputs) {
            guard let input = try Self.named(item, in: module), input.settable, !input.columns.isEmpty, input.id != field.id,
                input.columns.first?.raw != "id", input.type.dataType != "profileimage"
            else { throw Rejection.invalid(at: item.path) }
            guard !kept.contains(where: { $0["id"]?.looseInt64 == input.id.raw }) else { throw Rejection.duplicate(at: item.path) }
            var body = shown(input)
            body["mandatory"] = .bool(try self.given(item, "mandatory")?.bool() ?? false)
            body["criteria"] = try self.given(item, "criteria").map { try KeptCriteria.read($0, of: module, scope) } ?? JSONValue.null
            body["message"] = try self.given(item, "message").map { .string(try $0.string(max: 250)) } ?? JSONValue.null
            kept.append(body)
        }
        return kept
    }

    private func checkLists(_ given: JSONCursor?) throws -> [JSONValue] {
        var kept: [JSONValue] = []
        for item in try limited(given, 10) {
            let title = try name(try item.required("title"), max: 100)
            guard !kept.contains(where: { $0["title"]?.string == title }) else {
                throw Rejection.duplicate(at: item.path.appending("title"))
            }
            var items: [JSONValue] = []
            for entry in try limited(try item.required("items"), Self.mostItems) {
                let text = JSONValue.string(try name(entry, max: 200))
                guard !items.contains(text) else { throw Rejection.duplicate(at: entry.path) }
                items.append(text)
            }
            if items.isEmpty { throw Rejection.tooShort(1, at: item.path.appending("items")) }
            kept.append([
                "title": .string(title), "items": .array(items), "mandatory": .bool(try self.given(item, "mandatory")?.bool() ?? false),
            ])
        }
        return kept
    }

    /// A field of the record that gets a value, or a task about it. What no record could take is refused here.
    private func action(_ item: JSONCursor) throws -> JSONValue {
        let type = try choice(try item.required("type"), ["field_update", "task"])
        let system = AccessPolicy.system("actions are checked, and done whoever takes the transition")
        if type == "task" {
            guard let tasks = scope.catalog.module("Tasks") else { throw Rejection.invalid(at: item.path) }
            let task = try item.required("task")
            _ = try RecordDecoder(catalog: scope.catalog, module: tasks, access: system).decode(
                task, into: Record(tasks, id: RecordID(raw: 0)), .insert)
            return ["type": .string(type), "task": task.value]
        }
        let named = try item.required("field")
        guard let target = try Self.named(named, in: module), target.settable, !target.columns.isEmpty, target.id != field.id,
            !target.isRecordLookup, target.columns.first?.raw != "id"
        else { throw Rejection.invalid(at: named.path) }
        let value = item.optional("value") ?? JSONCursor(.null, at: item.path.appending("value"))
        if [.choice, .choices].contains(target.plainType.comparison) {
            let options = BlueprintUse.options(target.body["pick_list_values"]?.array ?? [])
            let chosen = (value.value.array ?? [value.value]).compactMap(\.string).filter { !$0.isBlank }
            guard chosen.allSatisfy({ options.contains(target.choices[$0] ?? $0) }) else { throw Rejection.invalid(at: value.path) }
        }
        do throws(Rejection) {
            _ = try RecordDecoder(catalog: scope.catalog, module: module, access: system).decode(
                JSONCursor(.object([.init(target.apiName, value.value)]), at: item.path), into: Record(module, id: RecordID(raw: 0)),
                .update)
        } catch {
            throw Rejection.invalid(at: value.path)
        }
        return ["type": .string(type), "field": shown(target), "value": value.value]
    }
}
