import Wire

/// Shows the files of a field as the API has them (`common.md` §10). An empty field is null, like any other.
enum FileValueWriter {
    static func write(_ stored: UnsafeBufferPointer<UInt8>, images: Bool, _ context: RenderContext, to json: inout JSONWriter) {
        let entries = (try? JSONValue.parse(Array(stored)))?.array ?? []
        guard !entries.isEmpty else { return json.null() }
        json.beginArray()
        for (index, entry) in entries.enumerated() { json.value(shown(entry, number: index + 1, images: images, context)) }
        json.endArray()
    }

    private static func shown(_ entry: JSONValue, number: Int, images: Bool, _ context: RenderContext) -> JSONValue {
        let token = entry["token"] ?? .null
        var shown: JSONValue = [
            "id": text(entry["id"]), "File_Id__s": token, "File_Name__s": entry["name"] ?? .null, "Size__s": text(entry["size"]),
            "Owner__s": user(entry["owner"], context), "Created_By__s": user(entry["created_by"], context),
            "Created_Time__s": time(entry["created_at"], context), "Modified_By__s": user(entry["modified_by"], context),
            "Modified_Time__s": time(entry["modified_at"], context),
        ]
        guard images else { return shown }
        shown["Preview_Id__s"] = token
        shown["Description__s"] = entry["description"] ?? .null
        shown["Sequence_Number__s"] = .integer(number)
        shown["State__s"] = "valid"
        return shown
    }

    private static func text(_ number: JSONValue?) -> JSONValue { number?.int64.map { .string(String($0)) } ?? .null }

    private static func user(_ id: JSONValue?, _ context: RenderContext) -> JSONValue {
        guard let bytes = id?.int64.flatMap({ context.users[$0] }) else { return .null }
        return (try? JSONValue.parse(bytes)) ?? .null
    }

    private static func time(_ milliseconds: JSONValue?, _ context: RenderContext) -> JSONValue {
        guard let instant = milliseconds?.int64.map(Instant.init(milliseconds:)) else { return .null }
        return .string(instant.iso(offsetMinutes: context.zone.offsetMinutes(at: instant)))
    }
}
