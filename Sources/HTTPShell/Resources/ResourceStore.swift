import CRMCore
import Metadata
import Wire

/// Reads and writes the items of one family in one place, on one catalog.
struct ResourceStore {
    let descriptor: ResourceDescriptor
    let place: ResourcePlace

    func all(_ catalog: Catalog) -> [Document] {
        catalog.documents(descriptor.kind).filter { descriptor.rule.contains($0, place) }
    }

    /// By id, or by the API name where items have one.
    func find(_ name: String, _ catalog: Catalog) -> Document? {
        let items = all(catalog)
        return RecordID(name).flatMap { id in items.first { $0.id == id } } ?? items.first { $0.body["api_name"]?.string == name }
    }

    func answer(_ document: Document, single: Bool, _ catalog: Catalog) -> JSONValue {
        let whole = JSONValue.object([.init("id", .id(document.id))] + (document.body.members ?? []))
        return descriptor.rule.show(whole, of: document, single: single, place, catalog)
    }

    /// The one item of a family of one.
    func only(_ catalog: Catalog) -> Document? { all(catalog).first ?? descriptor.rule.initial }

    func create(_ item: JSONCursor, _ scope: MetadataScope) throws -> RecordID {
        _ = try item.object()
        var draft = ResourceDraft(item: item, existing: nil, id: scope.ids.next(), body: [:])
        for attribute in descriptor.attributes { try read(attribute, into: &draft, scope.catalog) }
        try descriptor.rule.complete(&draft, place, scope)
        try scope.add(
            descriptor.kind, draft.body["api_name"]?.string ?? draft.body["name"]?.string, draft.body, parent: place.parent, id: draft.id)
        return draft.id
    }

    func update(_ document: Document, _ item: JSONCursor, _ scope: MetadataScope) throws -> RecordID {
        _ = try item.object()
        var draft = ResourceDraft(item: item, existing: document, id: document.id, body: document.body)
        for attribute in descriptor.attributes where !attribute.fixed && item.value[attribute.name] != nil {
            try read(attribute, into: &draft, scope.catalog)
        }
        try descriptor.rule.complete(&draft, place, scope)
        try scope.replace(document.id, body: draft.body)
        try scope.rename(document.id, draft.body["api_name"]?.string ?? draft.body["name"]?.string)
        return document.id
    }

    func delete(_ document: Document, _ scope: MetadataScope) throws -> RecordID {
        try descriptor.rule.remove(document, place, scope)
        try scope.remove([document.id])
        return document.id
    }

    private func read(_ attribute: Attribute, into draft: inout ResourceDraft, _ catalog: Catalog) throws(Rejection) {
        guard let given = draft.item.optional(attribute.name), !given.value.isNull else {
            if let code = attribute.missing {
                throw Rejection(code, .apiName(attribute.name), .jsonPath(draft.item.path.appending(attribute.name)))
            }
            draft.body[attribute.name] = attribute.initial
            return
        }
        switch attribute.kind {
        case .text(let max, let plain):
            let text = try given.string(max: max)
            if let code = attribute.missing, text.isBlank {
                throw text.isEmpty ? .tooShort(1, at: given.path) : Rejection(code, .apiName(attribute.name), .jsonPath(given.path))
            }
            if plain, !MadeName.isPlainLabel(text, more: ["_", "-", "."]) { throw .invalid(at: given.path) }
            draft.body[attribute.name] = .string(text)
        case .flag: draft.body[attribute.name] = .bool(try given.bool())
        case .choice(let choices, let refusal):
            guard let text = given.value.string, choices.contains(text) else {
                throw Rejection(refusal, .apiName(attribute.name), .jsonPath(given.path), .supportedValues(choices))
            }
            draft.body[attribute.name] = .string(text)
        case .item(let kind, let name): draft.body[attribute.name] = try item(given, kind, name, catalog)
        case .custom: draft.body[attribute.name] = given.value
        }
        if attribute.unique { try refuseTaken(attribute, draft, at: given.path, catalog) }
    }

    private func item(_ given: JSONCursor, _ kind: Document.Kind, _ name: String, _ catalog: Catalog) throws(Rejection) -> JSONValue {
        let id = given.value.members == nil ? given.value.looseInt64 : try given.ownID()?.raw
        let documents = catalog.documents(kind)
        let found = documents.first { document in
            if let id { return document.id.raw == id }
            return ["api_name", "name"].contains { key in given.value[key].map { $0 == document.body[key] } ?? false }
        }
        guard let found else { throw .invalid(at: given.value["id"] == nil ? given.path : given.path.appending("id")) }
        return .object([.init(name, found.body[name] ?? .null), .init("id", .id(found.id))])
    }

    private func refuseTaken(_ attribute: Attribute, _ draft: ResourceDraft, at path: JSONPath, _ catalog: Catalog) throws(Rejection) {
        let text = draft.body[attribute.name]?.string?.lowercased()
        if all(catalog).contains(where: { $0.id != draft.id && $0.body[attribute.name]?.string?.lowercased() == text }) {
            throw .duplicate(at: path)
        }
    }
}
