import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the organisation prefers about appointments. Contract: appointments, 152.
enum GetAppointmentPreferences: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/appointment_preferences", entry: "152", scope: .fixed(["ZohoCRM.settings.modules.READ"]))

    private static let configuration = "deal_record_configuration"

    struct Input: EndpointInput {
        /// Whether the configuration of deals was asked for.
        let included: Bool

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            for (name, value) in request.query {
                guard name == "include", value.isEmpty || value == configuration else { throw Rejection(.invalidRequest, .parameter(name)) }
            }
            included = request.query("include") == configuration
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        var body = AppointmentPreferences(context.catalog).body
        if !input.included { body[configuration] = .null }
        return .json(["appointment_preferences": body])
    }
}

/// Changes it. Contract: appointments, 153.
enum UpdateAppointmentPreferences: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/appointment_preferences", entry: "153", scope: .fixed(["ZohoCRM.settings.modules.UPDATE"]))

    struct Input: EndpointInput {
        let wish: JSONCursor
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: "Crm_Implied_Customize_Appointments")
            wish = try request.json().required("appointment_preferences")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let wish = input.wish
        do {
            try await context.services.storeSetting(AppointmentPreferences.kind, by: context.access.user) { catalog in
                var preferences = AppointmentPreferences(catalog)
                try preferences.change(wish, catalog)
                return preferences.body
            }
        } catch let rejection as Rejection {
            return .json(["appointment_preferences": rejection.result], status: rejection.status)
        }
        return .json(["appointment_preferences": .success("Appointments preferences updated successfully")])
    }
}

/// Preferences about services and appointments. Contract: services, 146 and 147; appointments, 152 and 153.
let appointmentEndpoints: [any Endpoint.Type] = [
    GetServicePreferences.self, UpdateServicePreferences.self, GetAppointmentPreferences.self, UpdateAppointmentPreferences.self,
]
