import Metadata
import Wire

extension LayoutShaper {
    /// Sections and their fields. Contract: layouts, U13.
    package func update(_ item: JSONCursor) throws {
        if let given = item.optional("api_name") { throw Rejection.invalid(at: given.path) }
        let name: String? = if let given = item.optional("name") { try given.string(max: 50, min: 1) } else { nil }
        var sections = Self.numbered(layout)
        let wishes = try item.optional("sections")?.elements() ?? []
        try refuseTooMany(wishes, item)
        for wish in wishes {
            _ = try wish.object()
            let index = try place(of: wish, &sections)
            if let delete = wish.optional("_delete") {
                try Self.refusePermanent(delete)
                if let field = fields(of: sections[index]).first(where: { isFixed($0) }) {
                    throw Rejection(.notAllowed, .apiName(field), .jsonPath(wish.path))
                }
                sections[index]["gone"] = true
                continue
            }
            try style(wish, &sections[index])
            for field in try wish.optional("fields")?.elements() ?? [] { try change(field, in: index, &sections) }
        }
        sections = sections.filter { $0["gone"] == nil }.enumerated().map { index, section in
            var section = section
            section["sequence_number"] = .integer(index + 1)
            return section
        }
        try write { body in
            body["sections"] = .array(sections)
            if let name { (body["name"], body["display_label"]) = (.string(name), .string(name)) }
        }
    }

    /// Sections with ids of their own: until now they were told apart by their place.
    private static func numbered(_ layout: Document) -> [JSONValue] {
        (layout.body["sections"]?.array ?? []).enumerated().map { index, section in
            var section = section
            if section["id"] == nil { section["id"] = .string(String(layout.id.raw) + String(index + 1)) }
            return section
        }
    }

    private func refuseTooMany(_ wishes: [JSONCursor], _ item: JSONCursor) throws(Rejection) {
        let new = wishes.count { $0.value["id"] == nil }
        let fields = wishes.reduce(0) { $0 + ($1.value["fields"]?.array?.count ?? 0) }
        for count in [new, fields] where count > Self.actionLimit { throw .tooLong(Self.actionLimit, at: item.path.appending("sections")) }
    }

    private func place(of wish: JSONCursor, _ sections: inout [JSONValue]) throws(Rejection) -> Int {
        if let id = wish.optional("id"), !id.value.isNull {
            let wanted = id.value.string ?? id.value.int64.map(String.init)
            guard let found = sections.firstIndex(where: { $0["id"]?.string == wanted }) else { throw .invalid(at: id.path) }
            return found
        }
        guard wish.value["display_label"] != nil else { throw .expected(["id", "display_label"], at: wish.path) }
        let label = try label(wish, sections, except: nil)
        var section = LayoutSection.body(
            name: label, label: label, columns: 2, sequence: sections.count + 1, generated: "custom", fields: [])
        section["id"] = .id(scope.ids.next())
        sections.append(section)
        return sections.count - 1
    }

    private func label(_ wish: JSONCursor, _ sections: [JSONValue], except own: JSONValue?) throws(Rejection) -> String {
        let given = try wish.required("display_label")
        let text = try given.string(max: 50, min: 1)
        guard MadeName.isPlainLabel(text) else { throw .invalid(at: given.path) }
        if sections.contains(where: { $0["id"] != own && $0["display_label"]?.string?.lowercased() == text.lowercased() }) {
            throw .duplicate(at: given.path)
        }
        return text
    }

    private func style(_ wish: JSONCursor, _ section: inout JSONValue) throws(Rejection) {
        if wish.value["id"] != nil, wish.value["display_label"] != nil {
            section["display_label"] = .string(try label(wish, Self.numbered(layout), except: section["id"]))
        }
        if let count = wish.optional("column_count") {
            guard let columns = count.value.int64, (1...2).contains(columns) else { throw .invalid(at: count.path) }
            section["column_count"] = .integer(columns)
        }
        if let order = wish.optional("tab_traversal") {
            guard let text = order.value.string, ["left_to_right", "top_to_bottom"].contains(text) else {
                throw .unsupported(["left_to_right", "top_to_bottom"], at: order.path)
            }
            section["tab_traversal"] = .string(text)
        }
    }

    private func change(_ wish: JSONCursor, in index: Int, _ sections: inout [JSONValue]) throws {
        _ = try wish.object()
        guard let id = wish.optional("id"), !id.value.isNull else { return try add(wish, in: index, &sections) }
        guard let field = id.value.looseInt64.flatMap({ module.field(FieldID(raw: $0)) }) else { throw Rejection.invalid(at: id.path) }
        for key in ["api_name", "data_type"]
        where wish.value[key] != nil && wish.value[key]?.string != (key == "api_name" ? field.apiName : field.type.dataType) {
            throw Rejection.notAllowed(at: wish.path.appending(key))
        }
        if let delete = wish.optional("_delete") {
            try Self.refusePermanent(delete)
            guard !isFixed(field.apiName) else { throw Rejection.notAllowed(at: wish.path) }
            Self.take(field.apiName, outOf: &sections)
            return
        }
        let required = try wish.optional("required")?.bool()
        let known = sections.lazy.flatMap { $0["fields"]?.array ?? [] }.first { $0["api_name"]?.string == field.apiName }
        if required == false, field.systemMandatory { throw Rejection.notAllowed(at: wish.path.appending("required")) }
        var entry = known ?? ["api_name": .string(field.apiName), "required": false]
        if let required { entry["required"] = .bool(required) }
        Self.put(entry, into: index, &sections)
    }

    /// A new field, made as `POST /settings/fields` makes it, and then placed here.
    private func add(_ wish: JSONCursor, in index: Int, _ sections: inout [JSONValue]) throws {
        guard let shaper = FieldShaper(scope, module: module.id) else { throw Rejection(.invalidModule, .parameter("module")) }
        let id = try shaper.create(wish)
        try scope.reload()
        guard let name = scope.catalog.module(id: module.id)?.field(FieldID(raw: id.raw))?.apiName else { return }
        Self.put(["api_name": .string(name), "required": .bool(try wish.optional("required")?.bool() ?? false)], into: index, &sections)
    }

    private func isFixed(_ apiName: String) -> Bool { module.field(apiName)?.systemMandatory == true }
    private func fields(of section: JSONValue) -> [String] { (section["fields"]?.array ?? []).compactMap { $0["api_name"]?.string } }

    private static func refusePermanent(_ delete: JSONCursor) throws(Rejection) {
        if delete.value["permanent"]?.bool == true { throw .notAllowed(at: delete.path.appending("permanent")) }
    }

    private static func take(_ apiName: String, outOf sections: inout [JSONValue]) {
        for index in sections.indices {
            let fields = sections[index]["fields"]?.array ?? []
            sections[index]["fields"] = .array(fields.filter { $0["api_name"]?.string != apiName })
        }
    }

    /// A field stands in one section: where it is already, it stays in its place.
    private static func put(_ entry: JSONValue, into index: Int, _ sections: inout [JSONValue]) {
        var fields = sections[index]["fields"]?.array ?? []
        if let place = fields.firstIndex(where: { $0["api_name"] == entry["api_name"] }) {
            fields[place] = entry
        } else {
            take(entry["api_name"]?.string ?? "", outOf: &sections)
            fields.append(entry)
        }
        for place in fields.indices { fields[place]["sequence_number"] = .integer(place + 1) }
        sections[index]["fields"] = .array(fields)
    }
}
