import CRMCore
import HTTPShell
import Metadata
import Wire

/// The `module` parameter of locking settings.
private struct LockableModule {
    let module: Module

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        module = try ModuleParameter(request, context).module
        guard LockingConfiguration.supports(module) else { throw Rejection(.notSupported, .parameter("module")) }
    }
}

/// How records of a module are locked. Contract: record-locking-configuration, 102.
enum ListLockingConfigurations: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/record_locking_configurations", entry: "102",
        scope: .fixed(["ZohoCRM.settings.record_locking_configurations.READ"]))

    struct Input: EndpointInput {
        let module: Module
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try LockableModule(request, context).module
            if let type = request.query("feature_type"), !type.isEmpty, type != "record_locking" {
                throw Rejection(.invalidData, .parameter("feature_type"), .supportedValues(["record_locking"]))
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let found = LockingConfiguration.of(input.module, context.catalog) else { return .nothing }
        return .json(["record_locking_configurations": [.object([.init("id", .id(found.id))] + (found.body.members ?? []))]])
    }
}

/// Configures the locking of a module. Contract: record-locking-configuration, 103.
enum AddLockingConfiguration: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/record_locking_configurations", entry: "103",
        scope: .fixed(["ZohoCRM.settings.record_locking_configurations.CREATE"]))

    struct Input: EndpointInput {
        let module: Module
        let item: JSONCursor
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: SettingsPermission.customize)
            module = try LockableModule(request, context).module
            item = try request.json().items("record_locking_configurations", limit: 1)[0]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await LockingAnswers.reply("created", success: 201) {
            try await context.services.addLockingConfiguration(input.item, of: input.module.id, by: context.access.user)
        }
    }
}

/// Changes the locking of a module. Contract: record-locking-configuration, 104.
enum ChangeLockingConfiguration: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/record_locking_configurations", entry: "104",
        scope: .fixed(["ZohoCRM.settings.record_locking_configurations.UPDATE"]))

    struct Input: EndpointInput {
        let module: Module
        let item: JSONCursor
        let id: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: SettingsPermission.customize)
            module = try LockableModule(request, context).module
            item = try request.json().items("record_locking_configurations", limit: 1)[0]
            id = request.path["config_id"] == nil ? try item.required("id").recordID() : try request.recordID("config_id", index: 0)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await LockingAnswers.reply("updated") {
            try await context.services.changeLockingConfiguration(input.item, id: input.id, of: input.module.id, by: context.access.user)
        }
    }
}

/// Changes the configuration of the path. Contract: record-locking-configuration, 104.
enum ChangeLockingConfigurationByID: SameWork {
    typealias Work = ChangeLockingConfiguration
    static let declaration = Declaration(
        .put, "/crm/v7/settings/record_locking_configurations/{config_id}", entry: "104",
        scope: .fixed(["ZohoCRM.settings.record_locking_configurations.UPDATE"]))
}

/// Drops the configuration of a module. Contract: record-locking-configuration, 105.
enum RemoveLockingConfiguration: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/record_locking_configurations/{config_id}", entry: "105",
        scope: .fixed(["ZohoCRM.settings.record_locking_configurations.DELETE"]))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: SettingsPermission.customize)
            module = try LockableModule(request, context).module
            id = try request.recordID("config_id", index: 0)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await LockingAnswers.reply("deleted", ending: "") {
            try await context.services.removeLockingConfiguration(input.id, of: input.module.id)
            return input.id
        }
    }
}

private enum LockingAnswers {
    /// The page says "created successfully" and "updated successfully", but "deleted".
    static func reply(_ verb: String, ending: String = " successfully", success: Int = 200, _ work: () async throws -> RecordID)
        async throws -> Reply
    {
        do {
            let id = try await work()
            let result = JSONValue.success("record locking configuration \(verb)\(ending)", details: ["id": .id(id)])
            return .items("record_locking_configurations", [.success(result)], success: success)
        } catch let rejection as Rejection {
            return .wrapped("record_locking_configurations", rejection)
        }
    }
}
