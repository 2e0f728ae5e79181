import CRMCore
import HTTPShell
import Metadata
import Wire

/// Starts an export. Contract: bulk-read, 249.
enum CreateBulkRead: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/bulk/v7/read", entry: "249", scope: .all([.fixed(["ZohoCRM.bulk.READ"]), .modules(["READ"])]))

    /// The pages a client can name without a token (the SDK's pattern).
    private static let lastPage: Int64 = 50

    struct Input: EndpointInput {
        /// What is asked, unless it goes on from another job.
        let request: BulkReadRequest?
        let token: String?
        let callback: Callback?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try request.requireJSONType()
            let body = try request.json()
            callback = try CallbackBody.read(body)
            let query = try body.required("query")
            _ = try query.object()
            if let token = query.optional("page_token"), !token.value.isNull {
                if let page = query.optional("page"), !page.value.isNull {
                    throw Rejection(
                        .ambiguityDuringProcessing,
                        .other(
                            "ambiguity_due_to",
                            .array([page.path, token.path].map { ["api_name": .string($0.name), "json_path": .string($0.description)] })))
                }
                self.token = try token.string(max: 200)
                self.request = nil
                return
            }
            token = nil
            self.request = try Self.read(body, query, callback, context)
        }

        private static func read(_ body: JSONCursor, _ query: JSONCursor, _ callback: Callback?, _ context: RequestContext)
            throws(Rejection)
            -> BulkReadRequest
        {
            let module = try Self.module(query, context)
            let isCalendar = try Self.isCalendar(body, query, module)
            var view: RecordID?
            if let given = query.optional("cvid"), !given.value.isNull {
                let id = try given.recordID()
                guard context.catalog.documents(.customView).contains(where: { $0.id == id && $0.parent?.raw == module.id.raw }) else {
                    throw Rejection(.cvidNotSupported, .apiName("cvid"), .jsonPath(given.path))
                }
                view = id
            }
            var criteria = JSONValue.null
            if let given = query.optional("criteria"), !given.value.isNull {
                let reader = BulkCriteria(module: module, catalog: context.catalog)
                try reader.check(given)
                criteria = reader.kept(given.value)
            }
            let page = try query.optional("page").flatMap { $0.value.isNull ? nil : $0 }?.integer() ?? 1
            guard (1...CreateBulkRead.lastPage).contains(page) else {
                throw Rejection(.pageRangeExceeded, .apiName("page"), .other("max_limit", .string(String(CreateBulkRead.lastPage))))
            }
            let request = BulkReadRequest(
                module: module.id, fields: try fields(query, module, isCalendar, context), view: view, criteria: criteria, page: Int(page),
                isCalendar: isCalendar, callback: callback)
            try plan(request, context)
            return request
        }

        /// What the criteria say wrongly about their fields shows when they become a statement.
        private static func plan(_ request: BulkReadRequest, _ context: RequestContext) throws(Rejection) {
            do throws(Rejection) {
                let dates = MovingDates(now: context.now, zone: context.zone, of: context.catalog)
                let query = try request.query(context.catalog, user: context.access.user, dates: dates)
                for module in query.followed { try context.requireScope(["READ"], on: module) }
                try Planner(context.catalog, context.access).check(query)
            } catch  where error.code == .invalidQuery {
                throw Rejection(
                    .invalidCriteria, .other("reason", error.details["reason"] ?? .null), .apiName(error.details["api_name"]?.string ?? ""))
            }
        }

        private static func module(_ query: JSONCursor, _ context: RequestContext) throws(Rejection) -> Module {
            let given = try query.required("module")
            // Older clients name it by a text.
            let name = given.value.string
            let found = name == nil ? try ModuleReference.read(given, context.catalog) : name.flatMap { context.catalog.module($0) }
            guard let module = found, module.table != nil else {
                throw Rejection(.moduleNotAvailable, .apiName("module"), .jsonPath(given.path))
            }
            guard BulkModules.read.contains(module.apiName) || module.generatedType == "custom" else {
                throw Rejection(.moduleNotSupported, .apiName(module.apiName), .jsonPath(given.path))
            }
            try context.requireScope(["READ"], on: module)
            return module
        }

        private static func isCalendar(_ body: JSONCursor, _ query: JSONCursor, _ module: Module) throws(Rejection) -> Bool {
            guard let given = body.optional("file_type") ?? query.optional("file_type"), !given.value.isNull else { return false }
            switch try given.string().lowercased() {
            case "csv": return false
            case "ics" where module.apiName == "Events": return true
            case "ics": throw .unsupported(["csv"], at: given.path)
            default: throw .unsupported(["csv", "ics"], at: given.path)
            }
        }

        private static func fields(_ query: JSONCursor, _ module: Module, _ isCalendar: Bool, _ context: RequestContext) throws(Rejection)
            -> [String]?
        {
            guard let given = query.optional("fields"), !given.value.isNull, given.value != .array([]) else { return nil }
            if isCalendar { throw Rejection(.fieldNotSupported, .apiName("fields"), .jsonPath(given.path)) }
            var names: [String] = []
            for element in try given.elements(1...500) {
                let name = try element.string()
                do throws(ExportQuery.Problem) {
                    _ = try ExportQuery.column(name, of: module, context.catalog)
                } catch {
                    switch error {
                    case .unknown: throw Rejection(.fieldNotAvailable, .apiName(name), .jsonPath(element.path))
                    case .notExported: throw Rejection(.fieldNotSupported, .apiName(name), .jsonPath(element.path))
                    case .tooDeep: throw Rejection(.joinLimitExceeded, .apiName(name), .jsonPath(element.path), .other("max_limit", "2"))
                    }
                }
                // The id has a column anyway.
                if name != "id", !names.contains(name) { names.append(name) }
            }
            return names
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let request = if let request = input.request { request } else { try await next(input, context) }
        let job = try await context.services.write(context.catalog, context.access, .api) { scope in
            try BulkReadJob.schedule(request, scope)
        }
        let details: JSONValue = [
            "id": .id(job), "operation": "read", "state": "ADDED", "created_by": context.shownUser(context.access.user.raw),
            "created_time": context.shown(context.now),
        ]
        let result = JSONValue.success("Added successfully.", code: "ADDED_SUCCESSFULLY", details: details)
        return .json(["data": [result], "info": [:]], status: 201)
    }

    /// The token of a job begins with its id; the rest is known to nobody but who asked for it.
    private static func next(_ input: Input, _ context: RequestContext) async throws -> BulkReadRequest {
        let text = input.token ?? ""
        let path = JSONPath().appending("query").appending("page_token")
        guard text.count > 48, let id = RecordID(text.dropLast(48)),
            let job = try await context.services.bulkJob(id, of: context.access.user),
            let token = BulkReadProgress(job.progress).token, Secrets.equal(token, text), let last = BulkReadProgress(job.progress).last
        else { throw Rejection.invalid(at: path) }
        guard let until = BulkReadProgress(job.progress).tokenUntil, until > context.now else {
            throw Rejection(.expiredValue, .apiName("page_token"), .jsonPath(path))
        }
        let request = BulkReadRequest(kept: job.request)
        guard let module = context.catalog.module(id: request.module) else { throw Rejection(.moduleNotAvailable) }
        try context.requireScope(["READ"], on: module)
        return request.next(after: last, callback: input.callback)
    }
}
