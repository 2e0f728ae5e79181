import CRMCore
import HTTPShell
import Metadata
import Wire

/// The documents that can become others.
private enum InventoryPath {
    static func module(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> Module {
        let module = try request.module(context)
        guard !InventoryOrder.targets(of: module).isEmpty else { throw .invalidModule() }
        return module
    }
}

/// Makes an order or an invoice of a quote, or an invoice of an order. Contract: convert-inventory-records, 139.
enum ConvertInventory: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/convert", entry: "139", scope: .area("ZohoCRM.mass_convert", ["CREATE"]))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID
        let item: JSONCursor

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try InventoryPath.module(request, context)
            id = try request.recordID()
            item = try ConversionCall.item(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await ConversionCall.reply {
            do {
                let order = try InventoryOrder(input.item, of: input.module, context.catalog)
                let made = try await context.services.write(context.catalog, context.access, .convert) { scope in
                    try InventoryConverter(order, context.services.records, scope).convert(input.id, of: input.module)
                }
                return [order.target.apiName: ["name": .string(made.displayName), "id": .id(made.id)]]
            } catch let rejection as Rejection where rejection.code == .duplicateData {
                // The page gives this one 401.
                let details = (rejection.details.members ?? []).map { Rejection.Detail.other($0.name, $0.value) }
                throw Rejection(.duplicateData, message: rejection.message, status: 401, details: details)
            }
        }
    }
}

/// Leaves up to fifty documents to a job. Contract: convert-inventory-records, 140.
enum MassConvertInventory: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/actions/mass_convert", entry: "140", scope: .area("ZohoCRM.mass_convert", ["CREATE"]))

    struct Input: EndpointInput {
        let module: Module
        let ids: [(id: RecordID, path: JSONPath)]
        let body: JSONCursor

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try InventoryPath.module(request, context)
            body = try request.json()
            ids = try ConversionCall.ids(body)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let job = try await context.services.write(context.catalog, context.access, .api) { scope in
            try MassConvertInventoryJob.schedule(input.ids, of: input.module, body: input.body, scope)
        }
        return ConversionCall.scheduled(job, status: 202)
    }
}

/// How far such a job has come. Contract: convert-inventory-records, 141.
enum GetMassConvertInventory: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/actions/mass_convert", entry: "141", scope: .area("ZohoCRM.mass_convert", ["READ"]))

    struct Input: EndpointInput {
        let module: Module
        let job: RecordID?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try InventoryPath.module(request, context)
            job = try ConversionCall.job(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let job = try await ConversionCall.progress(MassConvertInventoryJob.kind, input.module, input.job, context)
        return .json([
            "data": [
                [
                    "total_count": .integer(job.total), "not_converted_count": .integer(job.left), "failed_count": .integer(job.failed),
                    "converted_count": .integer(job.done), "status": .string(job.conversionWord),
                ]
            ]
        ])
    }
}
