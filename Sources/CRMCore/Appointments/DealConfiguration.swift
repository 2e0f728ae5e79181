import Metadata
import Wire

/// How a completed appointment becomes a deal: a layout, and where each field's value comes from. Contract: appointments, 153.
enum DealConfiguration {
    /// Mappings that are the system's own and cannot be others.
    static let fixed: [(field: String, value: String)] = [
        ("Amount", "${Services__s.Price}"), ("Closing_Date", "${Appointments__s.Appointment_Start_Time}"),
    ]
    private static let needed = ["Deal_Name", "Account_Name", "Pipeline", "Stage"]

    /// The stored form of what a caller asks for: every field by name and id, every source in one spelling.
    static func read(_ input: JSONCursor, _ catalog: Catalog) throws(Rejection) -> JSONValue {
        guard let deals = catalog.module("Deals") else { throw .invalidModule() }
        let layoutInput = try input.required("layout")
        let layout = try layout(layoutInput, deals, catalog)
        guard let mappings = input.optional("field_mappings"), !mappings.value.isNull else {
            throw .dependent("field_mappings", on: "layout", at: input.path)
        }
        var found: [(field: Field, value: JSONValue)] = []
        var paths: [String: JSONPath] = [:]
        for mapping in try mappings.elements() {
            let (field, value) = try read(mapping, deals, catalog)
            if paths[field.apiName] != nil { throw .duplicate(at: mapping.path.appending("field")) }
            paths[field.apiName] = mapping.path
            found.append((field, value))
        }
        for name in needed where paths[name] == nil {
            throw Rejection(.requiredDataNotFound, .apiName(name), .jsonPath(mappings.path))
        }
        for (name, value) in fixed where paths[name] == nil {
            if let field = deals.field(name) { found.append((field, mapped(field, "merge_field", .string(value)))) }
        }
        try checkStage(found.map(\.value), paths, layout, catalog)
        return [
            "layout": ["name": layout.body["name"] ?? .null, "id": .id(layout.id)], "field_mappings": .array(found.map(\.value)),
        ]
    }

    private static func layout(_ input: JSONCursor, _ deals: Module, _ catalog: Catalog) throws(Rejection) -> Document {
        let id = try input.required("id")
        guard let layout = catalog.documents(.layout).first(where: { $0.id.raw == id.value.looseInt64 && $0.parent?.raw == deals.id.raw })
        else { throw .invalid(at: id.path) }
        return layout
    }

    private static func mapped(_ field: Field, _ type: String, _ value: JSONValue) -> JSONValue {
        ["field": ["api_name": .string(field.apiName), "id": .string(String(field.id.raw))], "type": .string(type), "value": value]
    }

    private static func read(_ mapping: JSONCursor, _ deals: Module, _ catalog: Catalog) throws(Rejection) -> (Field, JSONValue) {
        let field = try field(try mapping.required("field"), deals)
        if mapping.value["_delete"] != nil, fixed.contains(where: { $0.field == field.apiName }) {
            throw Rejection(.notAllowed, status: 403, .apiName(field.apiName), .jsonPath(mapping.path))
        }
        let type = try mapping.required("type")
        let value = try mapping.required("value")
        switch type.value.string {
        case "merge_field":
            let source = try source(value, like: field, catalog)
            if let own = fixed.first(where: { $0.field == field.apiName }), own.value != source {
                throw Rejection(.notAllowed, status: 403, .apiName(field.apiName), .jsonPath(value.path))
            }
            return (field, mapped(field, "merge_field", .string(source)))
        case "static":
            if fixed.contains(where: { $0.field == field.apiName }) {
                throw Rejection(.notAllowed, status: 403, .apiName(field.apiName), .jsonPath(value.path))
            }
            try checkStatic(value, field)
            return (field, mapped(field, "static", value.value))
        default: throw .unsupported(["merge_field", "static"], at: type.path)
        }
    }

    private static func field(_ input: JSONCursor, _ deals: Module) throws(Rejection) -> Field {
        _ = try input.object()
        let name = input.optional("api_name").flatMap { $0.value.isNull ? nil : $0 }
        let id = input.optional("id").flatMap { $0.value.isNull ? nil : $0 }
        let byName = name?.value.string.flatMap { name in
            // The page itself writes `currency`.
            deals.field(name) ?? deals.fields.first { $0.apiName.lowercased() == name.lowercased() }
        }
        let byID = id?.value.looseInt64.flatMap { deals.field(FieldID(raw: $0)) }
        if let name, byName == nil { throw .invalid(at: name.path) }
        if let id, byID == nil { throw .invalid(at: id.path) }
        guard let field = byID ?? byName else { throw .missing("api_name", at: input.path) }
        if let byName, byName !== field { throw .ambiguous(["api_name", "id"], at: input.path) }
        return field
    }

    /// `${Module.Field}`, also written `${!Module.Field}`, of a field whose values fit.
    private static func source(_ value: JSONCursor, like field: Field, _ catalog: Catalog) throws(Rejection) -> String {
        guard let text = value.value.string, let (module, from) = MergeField.parse(text, catalog) else { throw .invalid(at: value.path) }
        guard fits(from, into: field) else { throw .invalid(at: value.path) }
        return "${\(module.apiName).\(from.apiName)}"
    }

    /// Texts go into texts, numbers into numbers, moments also into dates, lookups into lookups of the same module.
    private static func fits(_ from: Field, into field: Field) -> Bool {
        switch (from.type.comparison, field.type.comparison) {
        case (.text, .text), (.text, .longText), (.longText, .longText), (.choice, .text), (.choice, .choice), (.choice, .longText),
            (.text, .choice):
            true
        case (.number, .number), (.flag, .flag), (.date, .date), (.instant, .instant), (.instant, .date), (.choices, .choices): true
        case (.reference, .reference): from.type.cell == .user ? field.type.cell == .user : from.isAnyLookup || from.target == field.target
        case (.reference, .text): from.isRecordLookup
        default: false
        }
    }

    private static func checkStatic(_ value: JSONCursor, _ field: Field) throws(Rejection) {
        guard ![.date, .instant].contains(field.type.comparison), !field.unique else { throw .invalid(at: value.path) }
        if field.type.comparison == .reference {
            guard (value.value["id"] ?? value.value).looseInt64 != nil else { throw .wrongType("jsonobject", at: value.path) }
        } else if let text = value.value.string ?? value.value["name"]?.string, let limit = field.length, text.unicodeScalars.count > limit
        {
            throw Rejection(.invalidMapping, .apiName(field.apiName), .jsonPath(value.path), .maximumLength(limit))
        }
    }

    /// The pipeline stands in the layout, the stage in the pipeline, and the stage is one that is won.
    private static func checkStage(_ mappings: [JSONValue], _ paths: [String: JSONPath], _ layout: Document, _ catalog: Catalog)
        throws(Rejection)
    {
        func given(_ name: String) -> String? {
            guard let mapping = mappings.first(where: { $0["field"]?["api_name"]?.string == name }), mapping["type"] == "static" else {
                return nil
            }
            return mapping["value"]?["name"]?.string ?? mapping["value"]?.string
        }
        func mismatch(_ name: String) -> Rejection {
            Rejection(.mappingMismatch, .apiName(name), .jsonPath((paths[name] ?? JSONPath()).appending("value")))
        }
        let standard = layout.body["generated_type"]?.string == "system"
        let pipelines = catalog.documents(.pipeline).filter { $0.parent == layout.id || ($0.parent == nil && standard) }
        guard let name = given("Pipeline"),
            let pipeline = pipelines.first(where: { $0.body["display_value"]?.string == name || $0.body["actual_value"]?.string == name })
        else { throw mismatch("Pipeline") }
        let stage = given("Stage")
        let maps = pipeline.body["maps"]?.array ?? []
        guard let map = maps.first(where: { $0["display_value"]?.string == stage || $0["actual_value"]?.string == stage }) else {
            throw mismatch("Stage")
        }
        guard map["forecast_type"]?.string == "Closed Won" else {
            throw Rejection(.notAllowed, status: 403, .apiName("Stage"), .jsonPath((paths["Stage"] ?? JSONPath()).appending("value")))
        }
    }
}

/// `${Module.Field}`: a value that comes from an appointment or its service.
enum MergeField {
    private static let modules = ["Appointments__s", "Services__s"]

    static func parse(_ text: String, _ catalog: Catalog) -> (Module, Field)? {
        guard text.hasPrefix("${"), text.hasSuffix("}") else { return nil }
        let inner = text.dropFirst(2).dropLast()
        let parts = (inner.hasPrefix("!") ? inner.dropFirst() : inner).split(separator: ".")
        guard parts.count == 2, let module = catalog.module(parts[0]), modules.contains(module.apiName),
            let field = module.field(String(parts[1]))
        else { return nil }
        return (module, field)
    }
}
