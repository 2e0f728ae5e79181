import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the calls on a record's lock share.
private enum LockPath {
    static func module(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> Module {
        let module = try request.module(context)
        guard LockingConfiguration.supports(module) else { throw .invalidModule() }
        return module
    }

    static func scope(_ operation: String, module operations: [String]) -> ScopeRule {
        .all([.fixed(["ZohoCRM.modules.lockinginformation.\(operation)"]), .modules(operations)])
    }

    static func reason(_ request: ParsedRequest) throws(Rejection) -> String {
        // As long as the field Locked_Reason__s.
        try request.json().items("data", limit: 1)[0].required("Locked_Reason__s").string(max: 3000, min: 1)
    }
}

/// The lock of a record. Contract: record-locking, 165.
enum GetLocks: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/Locking_Information__s", entry: "165", scope: LockPath.scope("READ", module: ["READ"]))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID
        /// `nil` for everything.
        let fields: Set<String>?
        let lock: RecordID?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try LockPath.module(request, context)
            id = try request.recordID()
            lock = request.path["lock_id"] == nil ? nil : try request.recordID("lock_id", index: 3)
            let names = request.query("fields").flatMap { $0.isEmpty ? nil : Set($0.split(separator: ",").map(String.init)) }
            if lock == nil, names == nil { throw .missingParameter("fields") }
            fields = names
            guard LockingConfiguration.of(module, context.catalog) != nil else { throw RecordLocks.unconfigured }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let found = try await context.records.lock(of: input.id, in: input.module) else { throw Rejection.invalidPathID(1) }
        if let wanted = input.lock, found.lock?.id != wanted { throw Rejection.invalidPathID(3) }
        guard let lock = found.lock else { return .nothing }
        let data: JSONValue = [shown(lock, named: found.name, input, context)]
        if input.lock != nil { return .json(["data": data]) }
        return .json([
            "data": data,
            "info": [
                "per_page": 200, "next_page_token": .null, "count": 1, "page": 1, "previous_page_token": .null, "page_token_expiry": .null,
                "more_records": false,
            ],
        ])
    }

    private static func shown(_ lock: RecordLocks.Lock, named name: String?, _ input: Input, _ context: RequestContext) -> JSONValue {
        let record: JSONValue = ["module": input.module.shown, "name": name.map(JSONValue.string) ?? .null, "id": .id(input.id)]
        let all: JSONValue = [
            "Locked_By__s": context.shownUser(lock.lockedBy), "Locked_For__s": record,
            "Locked_Reason__s": lock.reason.map(JSONValue.string) ?? .null,
            "Lock_Source__s": lock.rule == nil ? "Manual" : "Automatic", "Locked_Time__s": context.shown(lock.lockedAt),
            "Record_Locking_Configuration_Id__s": .id(lock.configuration), "Record_Locking_Rule_Id__s": lock.rule.map { .id($0) } ?? .null,
            "Owner": context.shownUser(lock.lockedBy), "Parent_Id": record,
        ]
        let kept = (all.members ?? []).filter { input.fields?.contains($0.name) ?? true }
        return .object([.init("id", .id(lock.id))] + kept + [.init("$editable", true), .init("$sharing_permission", "full_access")])
    }
}

/// One lock of a record. Contract: record-locking, 165.
enum GetLock: SameWork {
    typealias Work = GetLocks
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/Locking_Information__s/{lock_id}", entry: "165", scope: LockPath.scope("READ", module: ["READ"]))
}

/// Locks a record. Contract: record-locking, 166.
enum LockRecord: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/Locking_Information__s", entry: "166", scope: LockPath.scope("CREATE", module: ["READ"]))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID
        let reason: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try LockPath.module(request, context)
            id = try request.recordID()
            reason = try LockPath.reason(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let lock = try await context.services.write(context.catalog, context.access, .api) { scope in
            try RecordLocks.lockByHand(input.id, of: input.module, reason: input.reason, scope)
        }
        let by = context.shownUser(lock.lockedBy)
        let details: JSONValue = [
            "Modified_Time": context.shown(lock.modifiedAt), "Modified_By": by, "Created_Time": context.shown(lock.lockedAt),
            "id": .id(lock.id),
            "Created_By": by,
        ]
        return .items("data", [.success(.success("record added", details: details))], success: 201)
    }
}

/// A record and the lock of it that a path names.
struct HeldLock: EndpointInput {
    let module: Module
    let id: RecordID
    let lock: RecordID
    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        module = try LockPath.module(request, context)
        id = try request.recordID()
        lock = try request.recordID("lock_id", index: 3)
    }
}

/// Changes why a record is locked. Contract: record-locking, 167.
enum UpdateLock: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/{module}/{id}/Locking_Information__s/{lock_id}", entry: "167", scope: LockPath.scope("UPDATE", module: ["UPDATE"]))

    struct Input: EndpointInput {
        let held: HeldLock
        let reason: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            held = try HeldLock(request, context)
            reason = try LockPath.reason(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await context.services.write(context.catalog, context.access, .api) { scope in
            try RecordLocks.changeReason(input.held.lock, on: input.held.id, of: input.held.module, to: input.reason, scope)
        }
        return .items("data", [.success(input.held.lock)], saying: "relation updated")
    }
}

/// Unlocks a record. Contract: record-locking, 168.
enum UnlockRecord: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/{module}/{id}/Locking_Information__s/{lock_id}", entry: "168", scope: LockPath.scope("DELETE", module: ["DELETE"])
    )

    static func respond(_ input: HeldLock, _ context: RequestContext) async throws -> Reply {
        try await context.services.write(context.catalog, context.access, .api) { scope in
            try RecordLocks.unlock(input.lock, on: input.id, of: input.module, scope)
        }
        return .items("data", [.success(input.lock)], saying: "relation removed")
    }
}

/// Locks on records, and how modules lock theirs. Contract: record-locking, 165 to 168; record-locking-configuration, 102 to 105.
let lockingEndpoints: [any Endpoint.Type] = [
    ListLockingConfigurations.self, AddLockingConfiguration.self, ChangeLockingConfiguration.self, ChangeLockingConfigurationByID.self,
    RemoveLockingConfiguration.self, GetLocks.self, GetLock.self, LockRecord.self, UpdateLock.self, UnlockRecord.self,
]
