import CRMCore
import HTTPShell
import Metadata
import Wire

/// Deleted records of all modules. Contract: recycle-bin, 216.
enum ListRecycleBin: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/recycle_bin", entry: "216", scope: .fixed(["ZohoCRM.settings.recycle_bin.READ"]))

    struct Input: EndpointInput {
        let page: NumberedPage
        let question: RecycleBin.Question

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            page = try NumberedPage(request)
            // A record named in the path goes before ids, and ids before filters. What is no id names nothing.
            var ids = request.path["id"].map { [RecordID($0) ?? RecordID(raw: 0)] }
            if ids == nil, let text = request.query("ids"), !text.isEmpty { ids = try request.ids("ids", limit: 200) }
            let text = ids == nil ? request.query("filters").flatMap { $0.isEmpty ? nil : $0 } : nil
            let filter = try text.map { text throws(Rejection) in try RecycleBinFilter.read(text) } ?? .init()
            question = .init(
                ids: ids, filter: filter, sort: try Self.sort(request), descending: try Self.descending(request),
                skipping: page.skipped, limit: page.perPage + 1)
        }

        private static func sort(_ request: ParsedRequest) throws(Rejection) -> RecycleBin.SortField {
            guard let text = request.query("sort_by"), !text.isEmpty else { return .deletedTime }
            guard let field = RecycleBin.SortField(rawValue: text) else {
                throw Rejection(.invalidData, .parameter("sort_by"), .supportedValues(RecycleBin.SortField.allCases.map(\.rawValue)))
            }
            return field
        }

        private static func descending(_ request: ParsedRequest) throws(Rejection) -> Bool {
            switch request.query("sort_order")?.lowercased() {
            case nil, "", "desc": return true
            case "asc": return false
            default: throw Rejection(.invalidData, .parameter("sort_order"), .supportedValues(["asc", "desc"]))
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = try await context.records.recycleBin(input.question)
        guard !found.isEmpty else { return .nothing }
        let shown = found.prefix(input.page.perPage)
        return .json([
            "recycle_bin": .array(shown.map { json($0, context) }),
            "info": input.page.info(shown.count, more: found.count > shown.count),
        ])
    }

    private static func json(_ entry: RecycleBin.Entry, _ context: RequestContext) -> JSONValue {
        [
            "id": .id(entry.id), "display_name": entry.displayName.map(JSONValue.string) ?? .null,
            "module": context.catalog.module(id: entry.module)?.shown ?? .null, "owner": context.shownUser(entry.owner),
            "deleted_by": context.shownUser(entry.deletedBy), "deleted_time": context.shown(entry.deletedAt),
        ]
    }
}

/// One deleted record. Contract: recycle-bin, 216.
enum GetRecycleBin: SameWork {
    typealias Work = ListRecycleBin
    static let declaration = Declaration(
        .get, "/crm/v7/settings/recycle_bin/{id}", entry: "216", scope: .fixed(["ZohoCRM.settings.recycle_bin.READ"]))
}

/// Deletes records for good, by id at once, by filter as a job. Contract: recycle-bin, 217.
enum EraseRecycleBin: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/recycle_bin", entry: "217", scope: .fixed(["ZohoCRM.settings.recycle_bin.DELETE"]))

    struct Input: EndpointInput {
        /// `nil` when a filter says which.
        let ids: [RecordID]?
        let filter: RecycleBin.Filter

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            if request.path["id"] != nil {
                ids = [try request.recordID(index: 0)]
                filter = .init()
            } else if let text = request.query("ids"), !text.isEmpty {
                ids = try request.ids()
                filter = .init()
            } else if let text = request.query("filters"), !text.isEmpty {
                ids = nil
                filter = try RecycleBinFilter.read(text)
            } else {
                throw Rejection(.expectedParamMissing, .other("expected_params", ["ids", "filters"]))
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let gone = try await context.services.write(context.catalog, context.access, .api) { scope -> Set<RecordID>? in
            if let ids = input.ids { return try EmptyBinJob.eraseOrSchedule(ids, scope) }
            try EmptyBinJob.schedule(ids: nil, filter: input.filter, scope)
            return nil
        }
        guard let gone, let ids = input.ids else {
            return .items(
                "recycle_bin", [.success(.success("Bulk deletion of records based on filters has been scheduled", code: "SCHEDULED"))])
        }
        return .items(
            "recycle_bin",
            ids.map { id in
                if gone.contains(id) { return .success(.success("record deleted", details: ["id": .id(id)])) }
                return .failure(Rejection(.invalidData, message: "the id given seems to be invalid", .id(id)))
            })
    }
}

/// Deletes the record of the path for good. Contract: recycle-bin, 217.
enum EraseRecycleBinRecord: SameWork {
    typealias Work = EraseRecycleBin
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/recycle_bin/{id}", entry: "217", scope: .fixed(["ZohoCRM.settings.recycle_bin.DELETE"]))
}

/// Brings deleted records back. An extension of ours: v7 has no call for it (recycle-bin, 217).
enum RestoreRecycleBin: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/recycle_bin/actions/restore", entry: "", scope: .fixed(["ZohoCRM.settings.recycle_bin.UPDATE"]))

    struct Input: EndpointInput {
        let ids: [RecordID]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { ids = try request.ids() }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try RecycleBin.restore(input.ids, scope)
        }
        return .items("recycle_bin", outcomes, saying: "record restored")
    }
}
