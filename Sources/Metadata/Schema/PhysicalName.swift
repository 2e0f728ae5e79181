import Wire

/// Names of tables and columns. Given once, at birth, and never changed.
package enum PhysicalName {
    /// Lower case letters, digits and single underscores; at most 40 characters so that every name built on it fits 63.
    package static func slug(_ apiName: String) -> String {
        var slug = ""
        for scalar in apiName.lowercased().unicodeScalars {
            let fits = (scalar.value >= 0x61 && scalar.value <= 0x7A) || (scalar.value >= 0x30 && scalar.value <= 0x39)
            if fits { slug.unicodeScalars.append(scalar) } else if slug.last != "_" { slug.append("_") }
        }
        return String(slug.prefix(40))
    }

    /// A standard field's body with the columns it is stored in: its API name in lower case, and one for the module if it may vary.
    static func withColumns(_ field: JSONValue, _ defaults: JSONValue) -> JSONValue {
        let name = field["api_name"]?.string ?? ""
        let lookup = field["lookup"] ?? defaults["lookup"]
        let dataType = (field["data_type"] ?? defaults["data_type"])?.string ?? "text"
        let type = lookup?["module"]?["api_name"]?.string == "se_module" ? FieldType.multiModuleLookup : .named(dataType, field: name)
        var body = field
        body["columns"] = .array(columns(slug(name), type).map(JSONValue.string))
        return body
    }

    /// The columns of a field made at run time. The number keeps them apart from those of a deleted field of the same name;
    /// 30 characters of the name leave room for it within 63.
    package static func columns(of apiName: String, _ type: FieldType, number: Int64) -> [String] {
        columns("c_\(slug(apiName).prefix(30))_\(number)", type)
    }

    /// The table of a module made at run time.
    package static func table(of apiName: String, number: Int64) -> String { "m_\(slug(apiName).prefix(30))_\(number)" }

    package static func columns(_ base: String, _ type: FieldType) -> [String] {
        switch type.storage.count {
        case 0: []
        case 1: [base]
        default: [base, base + "_m"]
        }
    }
}
