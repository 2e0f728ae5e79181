import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the calls on a record's notes share: the notes module, and the record they hang on.
struct NotesPath: Sendable {
    let parent: Module
    let record: RecordID
    let notes: Module

    /// The operation must be granted on notes too, not only on the record's module.
    init(_ request: ParsedRequest, _ context: RequestContext, _ operations: [String]) throws(Rejection) {
        parent = try request.module(context)
        record = try request.recordID()
        guard let notes = context.catalog.module("Notes") else { throw .invalidModule() }
        try context.requireScope(operations, on: notes)
        self.notes = notes
    }

    /// The notes of the record.
    var condition: Condition {
        notes.field("Parent_Id").map { .pointsAt(field: $0.id, record, parent.id) } ?? .any([])
    }

    /// Refuses when the record is not there, or not for the caller.
    func requireRecord(_ context: RequestContext) async throws {
        guard try await context.records.exists(record, in: parent) else { throw Rejection.invalidPathID(1) }
    }
}

/// Adds notes to a record. Contract: notes, 235.
enum InsertRecordNotes: Endpoint {
    static let declaration = Declaration(.post, "/crm/v7/{module}/{id}/Notes", entry: "235", scope: .modules(["CREATE", "WRITE"]))

    struct Input: EndpointInput {
        let path: NotesPath
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let path = try NotesPath(request, context, ["CREATE", "WRITE"])
            self.path = path
            // The path says where the note belongs, whatever the body says.
            items = try request.json().items("data").map { item in
                guard case .object = item.value else { return item }
                var value = item.value
                value["Parent_Id"] = ["id": .id(path.record), "module": ["api_name": .string(path.parent.apiName)]]
                return JSONCursor(value, at: item.path)
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try context.services.records.insert(input.items, input.path.notes, scope)
        }
        return .items("data", outcomes.map { $0.map(RecordAnswers(context: context).added) }, success: 201)
    }
}

/// Changes notes of a record. Contract: notes, 237.
enum UpdateRecordNotes: Endpoint {
    static let declaration = Declaration(.put, "/crm/v7/{module}/{id}/Notes", entry: "237", scope: .modules(["UPDATE", "WRITE"]))

    struct Input: OneOrManyInput {
        let path: NotesPath
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try NotesPath(request, context, ["UPDATE", "WRITE"])
            items = try request.json().items("data")
        }

        init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try NotesPath(request, context, ["UPDATE", "WRITE"])
            let id = try request.recordID("note_id", index: 3)
            items = try request.json().items("data", limit: 1).map { $0.naming(id) }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await input.path.requireRecord(context)
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try context.services.records.update(input.items, input.path.notes, where: input.path.condition, scope)
        }
        return .items("data", outcomes.map { $0.map(RecordAnswers(context: context).updated) })
    }
}

/// Changes a note of a record. Contract: notes, 237.
enum UpdateRecordNote: ForOne {
    typealias Work = UpdateRecordNotes
    static let declaration = Declaration(.put, "/crm/v7/{module}/{id}/Notes/{note_id}", entry: "237", scope: .modules(["UPDATE", "WRITE"]))
}

/// Moves notes of a record to the recycle bin. Contract: notes, 238.
enum DeleteRecordNotes: Endpoint {
    static let declaration = Declaration(.delete, "/crm/v7/{module}/{id}/Notes", entry: "238", scope: .modules(["DELETE", "WRITE"]))

    struct Input: OneOrManyInput {
        let path: NotesPath
        let ids: [RecordID]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try NotesPath(request, context, ["DELETE", "WRITE"])
            ids = try request.ids()
        }

        init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try NotesPath(request, context, ["DELETE", "WRITE"])
            ids = [try request.recordID("note_id", index: 3)]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await input.path.requireRecord(context)
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try context.services.records.delete(input.ids.map { ($0, JSONPath()) }, input.path.notes, where: input.path.condition, scope)
        }
        return .items("data", outcomes.map { $0.map(RecordAnswers(context: context).deleted) })
    }
}

/// Moves a note of a record to the recycle bin. Contract: notes, 238.
enum DeleteRecordNote: ForOne {
    typealias Work = DeleteRecordNotes
    static let declaration = Declaration(
        .delete, "/crm/v7/{module}/{id}/Notes/{note_id}", entry: "238", scope: .modules(["DELETE", "WRITE"]))
}
