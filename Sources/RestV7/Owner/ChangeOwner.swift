import CRMCore
import HTTPShell
import Metadata
import Wire

/// What calls that change owners share.
enum OwnerCall {
    private static let modules: Set<String> = [
        "Leads", "Accounts", "Contacts", "Deals", "Campaigns", "Tasks", "Cases", "Events", "Calls", "Solutions", "Products", "Vendors",
        "Price_Books",
        "Quotes", "Sales_Orders", "Purchase_Orders", "Invoices",
    ]

    static func module(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> Module {
        let module = try request.module(context)
        guard modules.contains(module.apiName) || module.generatedType == "custom" else { throw .invalidModule() }
        return module
    }

    /// An active user.
    static func owner(_ body: JSONCursor, _ context: RequestContext) throws(Rejection) -> User {
        let given = try body.required("owner").required("id")
        let id = try given.recordID()
        guard let user = context.catalog.user(UserID(raw: id.raw)), user.active else {
            throw .invalid(at: given.path, message: "the owner given seems to be invalid")
        }
        return user
    }
}

/// Gives records to another owner. Contract: change-owner, 218.
enum ChangeOwner: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/actions/change_owner", entry: "218", scope: .fixed(["ZohoCRM.change_owner.CREATE"]))

    struct Input: EndpointInput {
        let module: Module
        let ids: [RecordID]
        let change: OwnerChange

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try OwnerCall.module(request, context)
            let body = try request.json()
            ids = request.path["id"] == nil ? try Self.ids(body) : [try request.recordID()]
            let owner = try OwnerCall.owner(body, context)
            let telling =
                try body.optional("notify").map { notify throws(Rejection) in notify.value.isNull ? false : try notify.bool() } ?? false
            change = OwnerChange(to: owner, related: try Self.related(body, module, context.catalog), telling: telling)
        }

        private static func ids(_ body: JSONCursor) throws(Rejection) -> [RecordID] {
            let given = try body.required("ids")
            if given.value == .array([]) { throw .missing("ids", at: body.path) }
            var ids: [RecordID] = []
            for id in try body.items("ids", limit: 500) { ids.append(try id.recordID()) }
            return ids
        }

        private static func related(_ body: JSONCursor, _ module: Module, _ catalog: Catalog) throws(Rejection) -> [Module] {
            guard let given = body.optional("related_modules"), !given.value.isNull else { return [] }
            var related: [Module] = []
            for element in try given.elements() {
                guard let other = try ModuleReference.read(element, catalog), OwnerChange.canFollow(other, module, catalog) else {
                    throw Rejection(.notSupported, .apiName("related_modules"), .jsonPath(element.path))
                }
                if !related.contains(where: { $0.id == other.id }) { related.append(other) }
            }
            return related
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .changeOwner) { scope in
            try input.change.apply(to: input.ids, of: input.module, context.services.records, scope)
        }
        return .items("data", outcomes, saying: "owner is successfully updated")
    }
}

/// Gives the record of the path to another owner. Contract: change-owner, 218.
enum ChangeRecordOwner: SameWork {
    typealias Work = ChangeOwner
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/change_owner", entry: "218", scope: .fixed(["ZohoCRM.change_owner.CREATE"]))
}

/// Leaves a whole view's change of owner to a job. Contract: mass-change-owner, 219.
enum MassChangeOwner: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/actions/mass_change_owner", entry: "219", scope: .fixed(["ZohoCRM.change_owner.CREATE"]))

    struct Input: EndpointInput {
        let selection: MassSelection
        let owner: User

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let module = try OwnerCall.module(request, context)
            let body = try request.json()
            let view = try body.required("cvid")
            let id = try view.recordID()
            owner = try OwnerCall.owner(body, context)
            let territory = try TerritorySelection(body, module, context.catalog)
            let criteria = body.value["criteria"] ?? .null
            guard let selection = MassSelection(module, view: id, criteria: criteria, territory: territory, context.catalog) else {
                throw .invalid(at: view.path)
            }
            self.selection = selection
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let job = try await context.services.write(context.catalog, context.access, .api) { scope in
            try MassChangeOwnerJob.schedule(input.selection, to: input.owner, scope)
        }
        return .items("data", [.success(.success("change owner is successfully scheduled", details: ["job_id": .id(job)]))])
    }
}

/// How far that job has come. Contract: mass-change-owner, 220.
enum GetMassChangeOwner: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/actions/mass_change_owner", entry: "220", scope: .fixed(["ZohoCRM.change_owner.READ"]))

    struct Input: EndpointInput {
        let job: RecordID?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            _ = try OwnerCall.module(request, context)
            guard let text = request.query("job_id"), !text.isEmpty else {
                // The page gives this one 404.
                throw Rejection(.requiredParamMissing, status: 404, .parameter("job_id"))
            }
            job = RecordID(text)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let id = input.job, let job = try await context.services.job(id, kind: MassChangeOwnerJob.kind) else { return .nothing }
        // Those that belonged to the new owner already are known when all have been looked at.
        let left = job.state == .done ? max(job.total - job.done - job.failed, 0) : 0
        return .json([
            "data": [
                [
                    "Total_Count": .integer(job.total), "Updated_Count": .integer(job.done), "Not_Updated_Count": .integer(left),
                    "Failed_Count": .integer(job.failed), "Status": .string(job.state.word),
                ]
            ]
        ])
    }
}

/// Owners changed, one by one and in bulk. Contract: change-owner, mass-change-owner.
let ownerEndpoints: [any Endpoint.Type] = [ChangeOwner.self, ChangeRecordOwner.self, MassChangeOwner.self, GetMassChangeOwner.self]
