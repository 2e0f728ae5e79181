import Metadata
import Wire

/// The keys every type of field may have.
extension FieldDraft {
    mutating func readCommon() throws(Rejection) {
        try readTooltip()
        try readProfiles()
        try readFilterable()
        try readUnique()
        try readProtection()
        try readConvertMapping()
        for key in ["separator", "number_separator"] { if let flag = item.optional(key) { body[key] = .bool(try flag.bool()) } }
    }

    private mutating func readTooltip() throws(Rejection) {
        guard let given = item.optional("tooltip") else { return }
        if given.value.isNull {
            body["tooltip"] = .null
            return
        }
        let name = try given.required("name")
        let names = ["static_text", "info_icon"]
        guard let kindOfTip = name.value.string, names.contains(kindOfTip) else { throw .unsupported(names, at: name.path) }
        if kindOfTip == "static_text", !kind.traits.contains(.shortTooltip) { throw .mismatch("name", with: "data_type", at: given.path) }
        let text = try given.required("value").string(max: kindOfTip == "static_text" ? 35 : 255)
        body["tooltip"] = ["name": .string(kindOfTip), "value": .string(text)]
    }

    /// Which profiles see and write it. Who is not named keeps full rights.
    private mutating func readProfiles() throws(Rejection) {
        guard let given = item.optional("profiles"), !given.value.isNull else { return }
        var rights: [JSONValue] = []
        for (profile, entry) in try ProfileReferences(catalog: scope.catalog).read(given) {
            let levels = ["read_write", "read_only", "hidden"]
            var level = "read_write"
            if let wanted = entry.optional("permission_type"), !wanted.value.isNull {
                guard let text = wanted.value.string, levels.contains(text) else { throw .unsupported(levels, at: wanted.path) }
                level = text
            }
            rights.append(["id": .id(profile.id), "permission_type": .string(level)])
        }
        body["profiles"] = .array(rights)
    }

    private mutating func readFilterable() throws(Rejection) {
        guard let given = item.optional("filterable"), !given.value.isNull else { return }
        let wanted = try given.bool()
        let refused = !kind.traits.contains(.filtered) || (kind.dataType == "formula" && body["formula"]?["return_type"] == "text")
        if wanted, refused { throw .notAllowed(at: given.path) }
        body["filterable"] = .bool(wanted)
    }

    private mutating func readUnique() throws(Rejection) {
        guard let given = item.optional("unique"), !given.value.isNull, !(given.value.members ?? []).isEmpty || given.value.members == nil
        else { return }
        _ = try given.object()
        if given.value["_disable"] != nil {
            if existing?.unique == true { body["unique"] = [:] }
            return
        }
        guard kind.traits.contains(.unique) else { throw .notAllowed(at: given.path) }
        if let sensitive = given.optional("case_sensitive"), sensitive.value.bool != false, sensitive.value != "false" {
            throw .invalid(at: sensitive.path)
        }
        if existing?.unique == true { return }
        let others = module.fields.count { $0.unique }
        guard others < FieldShaper.uniqueLimit else {
            throw Rejection(.limitExceeded, .apiName("unique"), .jsonPath(given.path), .other("limit", .integer(FieldShaper.uniqueLimit)))
        }
        body["unique"] = ["case_sensitive": false]
    }

    /// Where a lead's value goes when it is converted: a field of each module, of the same kind, or none (`metadata/conversions.md`).
    private mutating func readConvertMapping() throws(Rejection) {
        guard module.apiName == "Leads" else { return }
        if existing == nil { body["convert_mapping"] = ["Accounts": .null, "Contacts": .null, "Deals": .null] }
        guard let given = item.optional("convert_mapping"), !given.value.isNull else { return }
        var mapping = body["convert_mapping"] ?? [:]
        for member in try given.object() {
            let path = given.path.appending(member.name)
            guard ["Accounts", "Contacts", "Deals"].contains(member.name), let target = scope.catalog.module(member.name) else {
                throw .unsupported(["Accounts", "Contacts", "Deals"], at: path)
            }
            guard !member.value.isNull else {
                mapping[member.name] = .null
                continue
            }
            let name = try JSONCursor(member.value, at: path).string()
            guard let field = target.field(name), field.settable, field.creatable else { throw .invalid(at: path) }
            guard field.type.dataType == kind.dataType, (field.length ?? .max) >= (body["length"]?.int64).map(Int.init) ?? 0 else {
                throw .invalid(at: path, message: "the fields differ in kind")
            }
            mapping[member.name] = .string(field.apiName)
        }
        body["convert_mapping"] = mapping
    }

    /// Privacy and external ids are kept as said.
    private mutating func readProtection() throws(Rejection) {
        if let given = item.optional("crypt"), !given.value.isNull {
            let mode = try given.required("mode")
            let modes = ["encryption", "decryption"]
            guard kind.traits.contains(.encrypted) else {
                throw Rejection(.notSupported, status: 403, .apiName("crypt"), .jsonPath(given.path))
            }
            guard let chosen = mode.value.string, modes.contains(chosen) else { throw .unsupported(modes, at: mode.path) }
            encrypts = chosen == "encryption"
            if encrypts == true, body["unique"]?.members?.isEmpty == false { throw .mismatch("unique", with: "crypt", at: item.path) }
            if existing == nil {
                if encrypts == true { try FieldEncryption.start(&body, scope.catalog, at: given.path) } else { body["crypt"] = .null }
            }
        } else if existing?.isEncrypted == true, body["unique"]?.members?.isEmpty == false {
            throw .mismatch("unique", with: "crypt", at: item.path)
        }
        if let given = item.optional("external"), !given.value.isNull {
            guard existing == nil else { throw .notAllowed(at: given.path) }
            guard kind.dataType == "text", module.apiName != "Calls", encrypts != true else { throw .notAllowed(at: given.path) }
            let type = try given.required("type")
            guard let chosen = type.value.string, ["user", "org"].contains(chosen) else {
                throw .unsupported(["user", "org"], at: type.path)
            }
            body["external"] = ["type": .string(chosen), "show": given.value["show"] ?? true]
        }
        // Both need a feature of the organisation that is off.
        for key in ["private", "hipaa_compliance_enabled"] {
            if let given = item.optional(key), !given.value.isNull, given.value != .bool(false) { throw .notAllowed(at: given.path) }
        }
    }
}
