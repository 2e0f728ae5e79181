import CRMCore
import HTTPShell
import Metadata
import Wire

/// Makes a contact, an account and a deal of a lead. Contract: convert-lead, 135.
enum ConvertLead: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/Leads/{id}/actions/convert", entry: "135", scope: .fixed(["ZohoCRM.modules.leads.CREATE"]), credits: 5)

    struct Input: EndpointInput {
        let id: RecordID
        let item: JSONCursor

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            id = try request.recordID()
            item = try ConversionCall.item(request).reached(at: context.homeURL)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await ConversionCall.reply {
            let order = try LeadOrder(input.item, context.catalog)
            let outcome = try await context.services.write(context.catalog, context.access, .convert) { scope in
                try LeadConverter(order, context.services.records, scope).convert(input.id)
            }
            func shown(_ record: Record?) -> JSONValue {
                record.map { ["name": .string($0.displayName), "id": .id($0.id)] } ?? .null
            }
            return ["Contacts": shown(outcome.contact), "Deals": shown(outcome.deal), "Accounts": shown(outcome.account)]
        }
    }
}

/// The records a lead may be already. Contract: convert-lead, 136.
enum GetConversionOptions: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/Leads/{id}/__conversion_options", entry: "136", scope: .fixed(["ZohoCRM.modules.leads.READ"]))

    struct Input: EndpointInput {
        let id: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { id = try request.recordID() }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let options = try await context.records.conversionOptions(of: input.id)
        let sides = [options.contacts, options.accounts]
        let targets = ["Accounts", "Contacts", "Deals"].compactMap { context.catalog.module($0) }
        let several = targets.filter { module in
            context.catalog.documents(.layout).count { $0.parent?.raw == module.id.raw && $0.body["status"]?.string != "inactive" } > 1
        }
        guard !several.isEmpty || sides.contains(where: { !$0.records.isEmpty }) else { return .nothing }
        func list(_ values: [JSONValue]) -> JSONValue { values.isEmpty ? .null : .array(values) }
        func reasons(_ side: ConversionOptions.Side) -> JSONValue {
            list(
                side.reasons.map { match in
                    [
                        "field": [
                            "api_name": .string(match.field.apiName), "id": .string(String(match.field.id.raw)),
                            "field_label": .string(match.field.label), "unique": match.field.body["unique"] ?? [:],
                        ],
                        "matched_lead_value": .string(match.value),
                    ]
                })
        }
        let matched: JSONValue = [
            "Contacts": reasons(options.contacts), "Accounts": reasons(options.accounts), "Deals": .null,
        ]
        return .json([
            "__conversion_options": [
                "module_preference": options.preferred?.shown ?? .null, "Contacts": list(options.contacts.records),
                "preference_field_matched_value": sides.allSatisfy(\.records.isEmpty) ? .null : matched,
                "Accounts": list(options.accounts.records), "Deals": .null, "modules_with_multiple_layouts": list(several.map(\.shown)),
            ]
        ])
    }
}

/// Leaves up to fifty leads to a job. Contract: convert-lead, 138.
enum MassConvertLeads: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/Leads/actions/mass_convert", entry: "138", scope: .fixed(["ZohoCRM.mass_convert.leads.CREATE"]))

    struct Input: EndpointInput {
        let ids: [(id: RecordID, path: JSONPath)]
        let body: JSONCursor

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            body = try request.json().reached(at: context.homeURL)
            ids = try ConversionCall.ids(body)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let job = try await context.services.write(context.catalog, context.access, .api) { scope in
            try MassConvertLeadsJob.schedule(input.ids, body: input.body, scope)
        }
        return ConversionCall.scheduled(job)
    }
}

/// How far such a job has come. Contract: convert-lead, 137.
enum GetMassConvertLeads: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/Leads/actions/mass_convert", entry: "137", scope: .fixed(["ZohoCRM.mass_convert.leads.READ"]))

    struct Input: EndpointInput {
        let job: RecordID?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { job = try ConversionCall.job(request) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let leads = context.catalog.module("Leads") else { throw Rejection.invalidModule() }
        let job = try await ConversionCall.progress(MassConvertLeadsJob.kind, leads, input.job, context)
        return .json([
            "data": [
                [
                    "Status": .string(job.conversionWord), "Failed_Count": .integer(job.failed), "Not_Converted_Count": .integer(job.left),
                    "Total_Count": .integer(job.total), "Converted_Count": .integer(job.done),
                ]
            ]
        ])
    }
}

extension JSONCursor {
    /// The same body, saying how the caller reached this server: links in mails begin so.
    fileprivate func reached(at origin: String) -> JSONCursor {
        guard value.members != nil else { return self }
        var value = value
        value[LeadOrder.originKey] = .string(origin)
        return JSONCursor(value, at: path)
    }
}
