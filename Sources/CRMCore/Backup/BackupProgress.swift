import Wire

/// How far a backup has come: the archives that are whole, and where in the list of contents the next one begins. Kept with the job.
struct BackupProgress: Sendable {
    /// An archive that is put away.
    struct File: Sendable {
        let kind: String
        let name: String
        let id: RecordID
    }

    var files: [File] = []
    /// The list of contents; there once the data are in their archives.
    var contents: RecordID?
    /// Contents in archives that are whole.
    var packed: Int64 = 0
    /// Everything there is to do, and what of it is done.
    var total: Int64 = 0
    var done: Int64 = 0

    init() {}

    init(_ payload: JSONValue) {
        guard let kept = payload["taken"], !kept.isNull else { return }
        files = (kept["files"]?.array ?? []).compactMap { file in
            guard let kind = file["kind"]?.string, let name = file["name"]?.string, let id = file["id"]?.looseInt64 else { return nil }
            return File(kind: kind, name: name, id: RecordID(raw: id))
        }
        contents = kept["contents"]?.looseInt64.map(RecordID.init(raw:))
        packed = kept["packed"]?.int64 ?? 0
        total = kept["total"]?.int64 ?? 0
        done = kept["done"]?.int64 ?? 0
    }

    var json: JSONValue {
        [
            "files": .array(files.map { ["kind": .string($0.kind), "name": .string($0.name), "id": .id($0.id)] }),
            "contents": contents.map(JSONValue.id) ?? .null, "packed": .integer(packed), "total": .integer(total), "done": .integer(done),
        ]
    }
}
