import CRMCore
import HTTPShell
import Metadata
import Wire

/// Reads the items of a `watch` body, each by itself. Contract: notifications, 254 to 256 and 258.
struct ChannelReader {
    let context: RequestContext

    func read(_ body: JSONCursor, _ action: (JSONCursor) throws(Rejection) -> ChannelRequest.Action) throws(Rejection)
        -> [Result<ChannelRequest, Rejection>]
    {
        try body.items("watch").map { item in
            do throws(Rejection) {
                return .success(try request(item, try action(item)))
            } catch {
                return .failure(error)
            }
        }
    }

    private func request(_ item: JSONCursor, _ action: ChannelRequest.Action) throws(Rejection) -> ChannelRequest {
        var request = ChannelRequest(action, try item.required("channel_id").recordID().raw)
        if action != .update || given(item, "events") != nil { try readEvents(try item.required("events"), into: &request) }
        guard action != .drop else { return request }
        if action != .update || given(item, "notify_url") != nil {
            let address = try item.required("notify_url")
            guard let url = OutgoingURL(try address.string()) else { throw .invalid(at: address.path) }
            request.url = url
        }
        if let token = item.optional("token") {
            request.token = .some(token.value.isNull ? nil : try token.string(max: Channel.tokenLength))
        }
        if let expiry = item.optional("channel_expiry") { request.expiresAt = .some(try moment(expiry)) }
        request.related = try given(item, "notify_on_related_action")?.bool()
        request.withValues = try given(item, "return_affected_field_values")?.bool()
        if let conditions = item.optional("notification_condition") { try readConditions(conditions, into: &request) }
        return request
    }

    /// A member that is there and not null.
    private func given(_ item: JSONCursor, _ name: String) -> JSONCursor? { item.optional(name).flatMap { $0.value.isNull ? nil : $0 } }

    private func moment(_ input: JSONCursor) throws(Rejection) -> Instant? {
        if input.value.isNull { return nil }
        guard let instant = Instant(iso: try input.string()) else { throw .wrongType("datetime", at: input.path) }
        guard instant > context.now else { throw .invalid(at: input.path) }
        return instant
    }

    /// `Module.operation`, such as `Deals.all`.
    private func readEvents(_ input: JSONCursor, into request: inout ChannelRequest) throws(Rejection) {
        // More than every event of every module is no subscription.
        for element in try input.elements(1...1000) {
            let text = try element.string()
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, let module = context.catalog.watched(parts[0]),
                let events = ChannelEvents.names.first(where: { $0.name == parts[1].lowercased() })?.events
            else { throw .invalid(at: element.path) }
            if !module.isUsers { try context.access.require(.view, module) }
            if request.events[module.id] == nil { request.modules.append(module.id) }
            request.events[module.id, default: []].formUnion(events)
        }
    }

    private func readConditions(_ input: JSONCursor, into request: inout ChannelRequest) throws(Rejection) {
        request.conditions = [:]
        guard !input.value.isNull else { return }
        for element in try input.elements() {
            _ = try element.object()
            let selection = given(element, "field_selection")
            guard let type = given(element, "type") else {
                guard let selection else { throw .missing("type", at: element.path) }
                throw Rejection(
                    .dependentFieldMissing, .dependee("field_selection", selection.path), .apiName("type"),
                    .jsonPath(element.path.appending("type")))
            }
            guard try type.string() == "field_selection" else { throw .unsupported(["field_selection"], at: type.path) }
            let named = try element.required("module")
            guard let module = try ModuleReference.read(named, context.catalog),
                request.action == .update && request.events.isEmpty || request.events[module.id] != nil
            else { throw .invalid(at: named.path) }
            var fields = 0
            request.conditions?[module.id] = try selectionOf(
                try element.required("field_selection"), module, depth: 1, fields: &fields)
        }
    }

    private func selectionOf(_ input: JSONCursor, _ module: Module, depth: Int, fields: inout Int) throws(Rejection) -> FieldSelection {
        _ = try input.object()
        if let named = given(input, "field"), given(input, "group") == nil {
            fields += 1
            guard fields <= FieldSelection.mostFields else { throw .tooLong(FieldSelection.mostFields, at: input.path) }
            return .field(try field(named, module).id)
        }
        let connector = try input.required("group_operator")
        let isAll = try connector.string().lowercased()
        guard ["and", "or"].contains(isAll) else { throw .unsupported(["and", "or"], at: connector.path) }
        let group = try input.required("group")
        guard depth <= FieldSelection.deepest else { throw .invalid(at: input.path) }
        var parts: [FieldSelection] = []
        for element in try group.elements(1...FieldSelection.mostFields) {
            parts.append(try selectionOf(element, module, depth: depth + 1, fields: &fields))
        }
        return isAll == "and" ? .all(parts) : .any(parts)
    }

    /// A field named by `api_name`, `id` or both.
    private func field(_ input: JSONCursor, _ module: Module) throws(Rejection) -> Field {
        _ = try input.object()
        let name = given(input, "api_name")
        let id = given(input, "id")
        let paths = ["api_name", "id"].map {
            ["api_name": .string($0), "json_path": .string(input.path.appending($0).description)] as JSONValue
        }
        if name == nil, id == nil { throw Rejection(.expectedFieldMissing, .other("expected_fields", .array(paths))) }
        let byName = try name.map { cursor throws(Rejection) in module.field(try cursor.string()) } ?? nil
        let byID = try id.map { cursor throws(Rejection) in module.field(FieldID(raw: try cursor.recordID().raw)) } ?? nil
        if let byName, let byID, byName.id != byID.id {
            throw Rejection(.ambiguityDuringProcessing, .other("ambiguity_due_to", .array(paths)))
        }
        if name != nil, byName == nil { throw .invalid(at: input.path.appending("api_name")) }
        if id != nil, byID == nil { throw .invalid(at: input.path.appending("id")) }
        guard let found = byName ?? byID else { throw .invalid(at: input.path) }
        return found
    }
}

extension Catalog {
    /// A module that can be watched, as events name it. Users go by a name in small letters.
    func watched(_ name: some StringProtocol) -> Module? {
        let found = module(name.lowercased() == "users" ? "Users" : String(name))
        return found.flatMap { Channel.supports($0) ? $0 : nil }
    }
}
