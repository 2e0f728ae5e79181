import CRMCore
import HTTPShell
import Metadata
import Wire

/// The fields of a module. Contract: fields, U5.
enum ListFields: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/settings/fields", entry: "U5", scope: .fixed(["ZohoCRM.settings.fields.READ"]))

    struct Input: EndpointInput {
        let module: Module
        let dataType: String?
        let type: String

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try ModuleParameter(request, context).module
            dataType = request.query("data_type").flatMap { $0.isEmpty ? nil : $0 }
            type = request.query("type").flatMap { $0.isEmpty ? nil : $0 } ?? "used"
            guard ["used", "unused", "all"].contains(type) else {
                throw Rejection(.invalidData, .parameter("type"), .supportedValues(["used", "unused", "all"]))
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let answers = MetadataAnswers(catalog: context.metadata)
        let fields = input.module.fields.filter { $0.body["listed"]?.bool != false }.filter {
            input.dataType == nil || $0.type.dataType == input.dataType
        }
        .map { answers.field($0, of: input.module) }.filter { input.type == "all" || $0["type"]?.string == input.type }
        return fields.isEmpty ? .nothing : .json(["fields": .array(fields)])
    }
}

/// One field. Contract: fields, U5.
enum GetField: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/fields/{field_id}", entry: "U5", scope: .fixed(["ZohoCRM.settings.fields.READ"]))

    struct Input: EndpointInput {
        let module: Module
        let field: Field?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let module = try ModuleParameter(request, context).module
            let name = request.path["field_id"] ?? ""
            self.module = module
            field = Int64(name).flatMap { module.field(FieldID(raw: $0)) } ?? module.field(name)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let field = input.field else { return .nothing }
        return .json(["fields": [MetadataAnswers(catalog: context.metadata).field(field, of: input.module)]])
    }
}
