import Metadata
import SQLStore
import Wire

/// What a write says about the files of one field: `[{"File_Id__s"}]` adds, `[{"id","_delete":null}]` removes, null empties.
package struct FileEdits: Sendable {
    /// The files of one field together (`merge.md` rule 24).
    static let maximumSize: Int64 = 30 << 20

    struct Added: Sendable {
        let token: String
        let description: String?
        let path: JSONPath
    }
    struct Named: Sendable {
        let id: RecordID
        let path: JSONPath
    }

    let field: Field
    let path: JSONPath
    private(set) var added: [Added] = []
    private(set) var removed: [Named] = []
    private(set) var kept: [Named] = []
    private(set) var empties = false

    init(_ input: JSONCursor, _ field: Field) throws(Rejection) {
        self.field = field
        path = input.path
        if input.value.isNull {
            empties = true
            return
        }
        for element in try input.elements() {
            guard case .object = element.value else { throw .wrongType("jsonobject", at: element.path) }
            if let id = element.optional("id"), !id.value.isNull {
                let named = Named(id: try id.recordID(), path: id.path)
                if element.value["_delete"] == nil { kept.append(named) } else { removed.append(named) }
            } else {
                let token = try element.required("File_Id__s")
                let description = element.optional("Description__s").flatMap { $0.value.isNull ? nil : $0 }
                added.append(
                    Added(token: try token.string(max: 255, min: 1), description: try description?.string(max: 1000), path: token.path))
            }
        }
    }

    /// How many files the field may hold: what it was made with, within what its type allows (`metadata/types.md`).
    static func limit(of field: Field) -> Int { min(max(field.length ?? 1, 1), field.holdsImages ? 10 : 5) }

    /// Checks the edits against what the record holds and what was uploaded, in the order of the request.
    func resolve(_ held: [FieldFiles.Entry], _ uploaded: [String: FileLibrary.Entry]) throws(Rejection) -> Resolved {
        for named in removed + kept where !held.contains(where: { $0.id == named.id }) { throw .unknownRecord(at: named.path) }
        let going = empties ? held : held.filter { entry in removed.contains { $0.id == entry.id } }
        var files: [(FileLibrary.Entry, String?)] = []
        for one in added {
            guard let file = uploaded[one.token] else { throw .invalid(at: one.path, message: "the file id given seems to be invalid") }
            guard !field.holdsImages || file.mediaType.hasPrefix("image/") else {
                throw .invalid(at: one.path, message: "the file is not an image")
            }
            files.append((file, one.description))
        }
        let staying = held.filter { entry in !going.contains(entry) }
        let count = staying.count + files.count
        let limit = Self.limit(of: field)
        if count > limit {
            throw Rejection(
                .limitExceeded, message: "The total number of given files cannot be more than the maximum limit.", .apiName(field.apiName),
                .jsonPath(path), .other("limit", .integer(limit)), .maximumLength(limit))
        }
        let size = staying.reduce(0) { $0 + $1.size } + files.reduce(0) { $0 + $1.0.size }
        if size > Self.maximumSize, !files.isEmpty {
            throw Rejection(
                .limitExceeded, message: "Attachment size limit exceeded", .apiName(field.apiName), .jsonPath(path),
                .other("MAXIMUM_SIZE", "30 MB"))
        }
        return Resolved(field: field, before: held, removed: going, added: files, next: (staying.map(\.position).max() ?? -1) + 1)
    }

    /// Edits that may be carried out.
    package struct Resolved: Sendable {
        let field: Field
        let before: [FieldFiles.Entry]
        let removed: [FieldFiles.Entry]
        let added: [(file: FileLibrary.Entry, description: String?)]
        let next: Int64
    }
}

extension Field {
    /// Whether its values are files.
    package var holdsFiles: Bool { type.cell == .files || type.cell == .images }
    var holdsImages: Bool { type.cell == .images }
}
