import CRMCore
import HTTPShell
import Metadata
import Wire

/// Adds up to 100 records. Contract: records, 125; notes, 235.
enum InsertRecords: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}", entry: "125", also: ["185", "143", "149", "155", "170"],
        scope: .modules(["CREATE", "WRITE"]), upTo: 10)

    static func load(_ input: Input) -> CallLoad { .records(input.items.count) }

    struct Input: EndpointInput {
        let module: Module
        let items: [JSONCursor]
        let options: WriteOptions
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try request.filledModule(context)
            let body = try request.json()
            items = try body.items("data")
            options = try WriteOptions(body, module, context.catalog)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            let written = try context.services.records.insert(input.items, input.module, scope)
            try input.options.assign(written, of: input.items, context.services.records, scope)
            return written
        }
        return .items("data", outcomes.map { $0.map(RecordAnswers(context: context).added) }, success: 201)
    }
}

/// Changes up to 100 records. Contract: records, 126.
enum UpdateRecords: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/{module}", entry: "126", also: ["186", "144", "150", "156", "171"],
        scope: .modules(["UPDATE", "WRITE"]), upTo: 10)

    static func load(_ input: Input) -> CallLoad { .records(input.items.count) }

    struct Input: OneOrManyInput {
        let module: Module
        let items: [JSONCursor]
        let options: WriteOptions
        let unmodifiedSince: Instant?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try request.writtenModule(context)
            let body = try request.json()
            items = try body.items("data")
            options = try WriteOptions(body, module, context.catalog)
            unmodifiedSince = try request.instant(header: "If-Unmodified-Since")
        }

        /// One item, with the id its path gives.
        init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try request.writtenModule(context)
            let id = try request.recordID()
            let body = try request.json()
            items = try body.items("data", limit: 1).map { $0.naming(id) }
            options = try WriteOptions(body, module, context.catalog)
            unmodifiedSince = try request.instant(header: "If-Unmodified-Since")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            let records = context.services.records
            let written = try records.update(input.items, input.module, unmodifiedSince: input.unmodifiedSince, scope)
            try input.options.assign(written, of: input.items, records, scope)
            return written
        }
        return .items("data", outcomes.map { $0.map(RecordAnswers(context: context).updated) })
    }
}

/// Changes the record of the path. Contract: records, 126.
enum UpdateRecord: ForOne {
    typealias Work = UpdateRecords
    static let declaration = Declaration(
        .put, "/crm/v7/{module}/{id}", entry: "126", scope: .modules(["UPDATE", "WRITE"]))
}

/// Changes the records that match, adds the others. Contract: records, 128.
enum UpsertRecords: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/upsert", entry: "128", also: ["173"],
        scope: .modules(["CREATE", "WRITE"]), upTo: 10)

    static func load(_ input: Input) -> CallLoad { .records(input.items.count) }

    /// Activities have no field that could tell two apart.
    private static let excluded: Set<String> = ["Tasks", "Events", "Calls", "Notes", "Attachments"]

    struct Input: EndpointInput {
        let module: Module
        let items: [JSONCursor]
        let options: WriteOptions
        let fields: [Field]
        let unmodifiedSince: Instant?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try request.writtenModule(context)
            guard !excluded.contains(module.apiName) else { throw .invalidModule() }
            let body = try request.json()
            items = try body.items("data")
            options = try WriteOptions(body, module, context.catalog)
            fields = try Self.checkFields(body.optional("duplicate_check_fields"), module)
            unmodifiedSince = try request.instant(header: "If-Unmodified-Since")
        }

        /// The list given and then the remaining unique fields; without a list the system field comes first.
        private static func checkFields(_ given: JSONCursor?, _ module: Module) throws(Rejection) -> [Field] {
            var fields: [Field] = []
            let system = systemField(module).flatMap { module.field($0) }
            if let given, !given.value.isNull {
                for name in try given.elements() {
                    guard let field = module.field(try name.string()), field.unique || field === system else {
                        throw .invalid(at: name.path)
                    }
                    fields.append(field)
                }
            }
            if fields.isEmpty, let system { fields = [system] }
            for field in module.fields where field.unique && !fields.contains(where: { $0 === field }) { fields.append(field) }
            return fields
        }

        private static func systemField(_ module: Module) -> String? {
            switch module.apiName {
            case "Leads", "Contacts": "Email"
            case "Cases", "Quotes", "Sales_Orders", "Purchase_Orders", "Invoices": "Subject"
            default: module.displayField?.apiName
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            let records = context.services.records
            let written = try records.upsert(
                input.items, input.module, matching: input.fields, unmodifiedSince: input.unmodifiedSince, scope)
            try input.options.assign(written.map { $0.map(\.record) }, of: input.items, records, scope)
            return written
        }
        let answers = RecordAnswers(context: context)
        let results = outcomes.map { outcome in
            outcome.map { upserted -> JSONValue in
                var result = upserted.action == .insert ? answers.added(upserted.record) : answers.updated(upserted.record)
                result["action"] = .string(upserted.action.rawValue)
                result["duplicate_field"] = upserted.duplicateField.map(JSONValue.string) ?? .null
                return result
            }
        }
        return .items("data", results)
    }
}
