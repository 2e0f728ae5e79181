import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the calls on a record's notes share: the notes module, and the record they hang on.
struct NotesPath: Sendable {
    let parent: Module
    let record: RecordID
    let notes: Module

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        parent = try request.module(context)
        record = try request.recordID()
        guard let notes = context.catalog.module("Notes") else { throw .invalidModule() }
        self.notes = notes
    }
}

/// Adds notes to a record. Contract: notes, 235.
enum InsertRecordNotes: Endpoint {
    static let declaration = Declaration(.post, "/crm/v7/{module}/{id}/Notes", entry: "235", scope: .modules(["CREATE", "WRITE"]))

    struct Input: EndpointInput {
        let path: NotesPath
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let path = try NotesPath(request, context)
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
