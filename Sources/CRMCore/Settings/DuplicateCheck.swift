import Metadata
import Wire

/// The preference that widens the duplicate check of leads: one document, of one of two types. Contract: `duplicates.md`, A3.
package struct DuplicateCheck: Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case converted = "converted_records"
        case mapped = "mapped_module_records"
    }

    /// A unique field of leads, and the unique field of contacts its values may not be found in.
    package struct Mapping: Sendable {
        package let current: Field
        package let mapped: Field
    }

    package let document: Document
    package let kind: Kind
    package let mappings: [Mapping]
    package let target: Module?

    /// The preference of a module; nil when none is set.
    package init?(_ module: Module, _ catalog: Catalog) {
        guard let document = catalog.documents(.duplicateCheck).first(where: { $0.parent?.raw == module.id.raw }),
            let kind = document.body["type"]?.string.flatMap(Kind.init)
        else { return nil }
        let target = catalog.module("Contacts")
        self.document = document
        self.kind = kind
        self.target = target
        mappings = (document.body["mappings"]?.array ?? []).compactMap { pair in
            guard let current = pair["current"]?.looseInt64.flatMap({ module.field(FieldID(raw: $0)) }),
                let mapped = pair["mapped"]?.looseInt64.flatMap({ target?.field(FieldID(raw: $0)) })
            else { return nil }
            return Mapping(current: current, mapped: mapped)
        }
    }

    /// Reads a wish into the stored form.
    package static func read(_ item: JSONCursor, for module: Module, _ catalog: Catalog) throws(Rejection) -> JSONValue {
        let type = try item.required("type")
        let names = Kind.allCases.map(\.rawValue)
        guard let kind = type.value.string.flatMap(Kind.init) else { throw .unsupported(names, at: type.path) }
        guard kind == .mapped else { return ["type": .string(kind.rawValue), "mappings": []] }
        guard let given = item.optional("type_configurations"), !given.value.isNull, given.value != .array([]) else {
            throw .dependent("type_configurations", on: "type", at: item.path)
        }
        // The page has an array of one, newer samples the object itself.
        let one = given.value.array == nil ? given : try given.elements(1...1)[0]
        let named = try one.required("mapped_module")
        let target = try NamedModule.read(named, catalog)
        guard target.apiName == "Contacts" else { throw Rejection(.featureNotSupported) }
        let pairs = if let list = one.optional("field_mapping") { list } else { try one.required("field_mappings") }
        var mappings: [JSONValue] = []
        let items = try pairs.elements()
        if items.isEmpty { throw .tooShort(1, at: pairs.path) }
        for pair in items {
            if pair.value["mapped_field"]?["selected"] == "None" { continue }
            let current = try field(try pair.required("current_field"), of: module)
            let mapped = try field(try pair.required("mapped_field"), of: target)
            guard current.type.dataType == mapped.type.dataType else { throw .ambiguous(["current_field", "mapped_field"], at: pair.path) }
            mappings.append(["current": .string(String(current.id.raw)), "mapped": .string(String(mapped.id.raw))])
        }
        return ["type": .string(kind.rawValue), "mappings": .array(mappings)]
    }

    private static func field(_ given: JSONCursor, of module: Module) throws(Rejection) -> Field {
        _ = try given.object()
        let name = given.optional("api_name")
        let id = given.optional("id")
        guard name != nil || id != nil else {
            throw Rejection(
                .expectedFieldMissing, message: "Specify at least one field.",
                .other(
                    "expected_fields",
                    .array(
                        ["id", "api_name"].map {
                            ["api_name": .string($0), "json_path": .string(given.path.appending($0).description)]
                        })))
        }
        let byName = name?.value.string.flatMap { module.field($0) }
        let byID = id?.value.looseInt64.flatMap { module.field(FieldID(raw: $0)) }
        if let name, byName == nil { throw .invalid(at: name.path) }
        if let id, byID == nil { throw .invalid(at: id.path) }
        if let byName, let byID, byName !== byID {
            throw .ambiguous(["id", "api_name"], at: given.path, message: "two different crm fields are found")
        }
        guard let found = byName ?? byID else { throw .invalid(at: given.path) }
        guard found.unique else {
            let path = given.path.appending(name == nil ? "id" : "api_name")
            throw .notAllowed(at: path, message: "the given \(given.name) API name is not a unique field API name.")
        }
        return found
    }
}
