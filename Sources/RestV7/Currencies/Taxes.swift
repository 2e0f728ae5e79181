import CRMCore
import HTTPShell
import Metadata
import Wire

/// Taxes as answers show them. The directory has no page of them; the shape is that of the SDKs (`extra_operations.tsv`, org/taxes).
private enum TaxAnswers {
    static func json(_ taxes: [JSONValue], _ context: RequestContext) -> JSONValue {
        ["org_taxes": ["taxes": .array(taxes), "preference": TaxPreferences(context.catalog).body]]
    }

    static func all(_ context: RequestContext) -> [JSONValue] {
        Tax.all(context.catalog).enumerated().map { index, tax in
            [
                "id": .id(tax.id), "name": .string(tax.name), "display_label": .string("\(tax.name) - \(tax.value) %"),
                "value": .real(tax.value),
                "sequence_number": .integer(index + 1),
            ]
        }
    }
}

/// The taxes of the organisation.
enum ListTaxes: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/org/taxes", entry: "", scope: .fixed(["ZohoCRM.settings.taxes.READ", "ZohoCRM.org.READ"]))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        let taxes = TaxAnswers.all(context)
        return taxes.isEmpty ? .nothing : .json(TaxAnswers.json(taxes, context))
    }
}

/// One tax.
enum GetTax: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/org/taxes/{tax_id}", entry: "", scope: .fixed(["ZohoCRM.settings.taxes.READ", "ZohoCRM.org.READ"]))

    struct Input: EndpointInput {
        let id: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { id = request.path["tax_id"] ?? "" }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let tax = TaxAnswers.all(context).first(where: { $0["id"] == .string(input.id) }) else { return .nothing }
        return .json(TaxAnswers.json([tax], context))
    }
}

/// Adds, changes and drops taxes, all or none. The SDKs read one result, that of the first; `taxes` in its details has all.
enum UpdateTaxes: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/org/taxes", entry: "", scope: .fixed(["ZohoCRM.settings.taxes.UPDATE", "ZohoCRM.org.UPDATE"]),
        support: .partial("what modify_tax_rates allows"))

    struct Input: EndpointInput {
        let items: [JSONCursor]
        let preference: JSONCursor?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let wish = try request.json().required("org_taxes")
            preference = wish.optional("preference").flatMap { $0.value.isNull ? nil : $0 }
            // Preferences alone are a wish too.
            items = preference != nil && wish.optional("taxes") == nil ? [] : try wish.items("taxes")
            if let preference { _ = try TaxPreferences(context.catalog).changed(preference) }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        do {
            let results = try await context.services.changeTaxes(input.items, preference: input.preference).map { change -> JSONValue in
                .success(
                    "tax \(change.kind.rawValue)",
                    details: ["id": .id(change.tax.id), "name": .string(change.tax.name), "value": .real(change.tax.value)])
            }
            guard var answer = results.first else { return .json(["org_taxes": .success("preference updated")]) }
            if results.count > 1, var details = answer["details"] {
                details["taxes"] = .array(results)
                answer["details"] = details
            }
            return .json(["org_taxes": answer])
        } catch let rejection as Rejection {
            return .json(["org_taxes": rejection.result], status: rejection.status)
        }
    }
}
