import Metadata
import SQLStore
import Wire

/// The files a merge body names, field by field (rules 21 to 24 and 29, `merge.md` §5).
struct NamedFiles {
    /// How many files one entry may name.
    private static let limit = 50

    private struct Mention {
        let source: MergeRequest.Source
        /// None when the entry says null.
        let ids: [RecordID]
        /// Where the entry names the field.
        let path: JSONPath
    }

    let master: Record
    let children: [Record]
    let held: FieldFiles.Held
    private var fields: [Field] = []
    private var mentions: [FieldID: [Mention]] = [:]

    init(master: Record, children: [Record], held: FieldFiles.Held) {
        self.master = master
        self.children = children
        self.held = held
    }

    /// Rules 21, 22 and 29 for one entry. `path` is that of its `api_name`.
    mutating func read(_ entry: JSONCursor, _ field: Field, _ source: MergeRequest.Source, _ path: JSONPath) throws(MergeRefusal) {
        let dataPath = entry.path.appending("_data")
        guard let data = entry.optional("_data") else {
            let message =
                source == .master
                ? "The _data array is not specified for the master record" : "The _data array is not mentioned for the child record"
            throw .wrapped(
                Rejection(.dependentFieldMissing, message: message, .apiName("id"), .jsonPath(dataPath), .dependee("api_name", path)))
        }
        var ids: [RecordID] = []
        if !data.value.isNull {
            guard case .array(let elements) = data.value else { throw .wrapped(.wrongType("jsonarray", at: dataPath)) }
            if elements.isEmpty { throw .wrapped(.tooShort(1, at: dataPath)) }
            if elements.count > Self.limit { throw .wrapped(.tooLong(Self.limit, at: dataPath)) }
            for (index, element) in elements.enumerated() {
                ids.append(try id(JSONCursor(element, at: dataPath.appending(index)), field, source, earlier: ids))
            }
        }
        if mentions[field.id] == nil { fields.append(field) }
        mentions[field.id, default: []].append(Mention(source: source, ids: ids, path: path))
    }

    private func id(_ file: JSONCursor, _ field: Field, _ source: MergeRequest.Source, earlier: [RecordID]) throws(MergeRefusal) -> RecordID
    {
        guard case .object = file.value else { throw .wrapped(.wrongType("jsonobject", at: file.path)) }
        let path = file.path.appending("id")
        guard let given = file.optional("id"), !given.value.isNull, given.value != .string("") else {
            throw .wrapped(.missing("id", at: file.path))
        }
        guard let id = given.value.looseInt64.map(RecordID.init(raw:)), entries(of: source, field).contains(where: { $0.id == id }) else {
            throw .wrapped(.unknownRecord(at: path))
        }
        let named = earlier + (mentions[field.id] ?? []).flatMap(\.ids)
        if named.contains(id) { throw .wrapped(.duplicate(at: path)) }
        return id
    }

    private func entries(of source: MergeRequest.Source, _ field: Field) -> [FieldFiles.Entry] {
        switch source {
        case .master: held[master.id]?[field.id] ?? []
        case .child(let index): held[children[index].id]?[field.id] ?? []
        }
    }

    /// Rules 23 and 24, on the united set.
    func check() throws(MergeRefusal) {
        for field in fields {
            let mentions = mentions[field.id] ?? []
            let limit = FileEdits.limit(of: field)
            let sizes = Dictionary(
                held.values.flatMap { $0[field.id] ?? [] }.map { ($0.id, $0.size) }, uniquingKeysWith: { first, _ in first })
            let chosen = chosen(in: field)
            guard let first = mentions.first else { continue }
            if chosen.count > limit {
                throw .wrapped(
                    Rejection(
                        .limitExceeded, message: "The total number of given files cannot be more than the maximum limit.",
                        .apiName(field.apiName),
                        .jsonPath(first.path), .maximumLength(limit)))
            }
            if chosen.reduce(0, { $0 + (sizes[$1] ?? 0) }) > FileEdits.maximumSize {
                let due = mentions.map { ["api_name": .string(field.apiName), "json_path": .string($0.path.description)] as JSONValue }
                throw .wrapped(
                    Rejection(
                        .limitExceeded, message: "Attachment size limit exceeded", .other("MAXIMUM_SIZE", "30 MB"),
                        .other("limit_due_to", .array(due))))
            }
        }
    }

    /// The files of each named field as the master shall hold them, in order.
    var chosen: [FieldID: [RecordID]] { Dictionary(uniqueKeysWithValues: fields.map { ($0.id, chosen(in: $0)) }) }

    private func chosen(in field: Field) -> [RecordID] {
        let mentions = mentions[field.id] ?? []
        let own = entries(of: .master, field).map(\.id)
        let ofMaster = mentions.filter { $0.source == .master }
        let named = ofMaster.flatMap(\.ids)
        let staying = ofMaster.isEmpty ? own : own.filter(named.contains)
        return staying + mentions.filter { $0.source != .master }.flatMap(\.ids)
    }
}
