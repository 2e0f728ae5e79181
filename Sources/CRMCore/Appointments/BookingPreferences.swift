import Metadata
import Wire

/// What the organisation prefers about services. Contract: services, 146 and 147.
package struct ServicePreferences: Sendable {
    package static let kind: Document.Kind = "service_preferences"
    package let jobSheets: Bool

    package init(_ catalog: Catalog) { jobSheets = catalog.documents(Self.kind).first?.body["job_sheet_enabled"]?.bool ?? false }

    package var body: JSONValue { ["job_sheet_enabled": .bool(jobSheets)] }
}

/// What the organisation prefers about appointments. Contract: appointments, 152 and 153.
package struct AppointmentPreferences: Sendable {
    package static let kind: Document.Kind = "appointment_preferences"

    /// Who says that an appointment is over.
    package enum Ending: String, CaseIterable, Sendable {
        case provider = "ask_appointment_provider_to_complete"
        case clock = "mark_as_complete"
    }

    /// What follows when it is.
    package enum Completion: String, CaseIterable, Sendable {
        case deal = "create_deal"
        case nothing = "do_not_create_deal"
    }

    package var outsideBusinessHours = false
    package var outsideAvailability = false
    package var jobSheet = false
    package var ending = Ending.provider
    package var completion = Completion.nothing
    /// The layout and the mappings of the deal that is made.
    package var deal: JSONValue = .null

    package init(_ catalog: Catalog) {
        guard let body = catalog.documents(Self.kind).first?.body else { return }
        outsideBusinessHours = body["allow_booking_outside_businesshours"]?.bool ?? false
        outsideAvailability = body["allow_booking_outside_service_availability"]?.bool ?? false
        jobSheet = body["show_job_sheet"]?.bool ?? false
        ending = body["when_duration_exceeds"]?.string.flatMap(Ending.init) ?? .provider
        completion = body["when_appointment_completed"]?.string.flatMap(Completion.init) ?? .nothing
        deal = body["deal_record_configuration"] ?? .null
    }

    package var body: JSONValue {
        [
            "allow_booking_outside_businesshours": .bool(outsideBusinessHours),
            "allow_booking_outside_service_availability": .bool(outsideAvailability), "show_job_sheet": .bool(jobSheet),
            "when_duration_exceeds": .string(ending.rawValue), "when_appointment_completed": .string(completion.rawValue),
            "deal_record_configuration": deal,
        ]
    }

    /// Takes over what a caller says, each key by itself, and then holds the whole against the rules (appointments, 153).
    package mutating func change(_ input: JSONCursor, _ catalog: Catalog) throws(Rejection) {
        _ = try input.object()
        func given(_ name: String) -> JSONCursor? { input.optional(name).flatMap { $0.value.isNull ? nil : $0 } }
        if let flag = given("allow_booking_outside_service_availability") { outsideAvailability = try flag.bool() }
        if let flag = given("allow_booking_outside_businesshours") { outsideBusinessHours = try flag.bool() }
        if let flag = given("show_job_sheet") { jobSheet = try flag.bool() }
        if let wish = given("when_duration_exceeds") { ending = try Self.choice(wish) }
        if let wish = given("when_appointment_completed") { completion = try Self.choice(wish) }
        if let configuration = input.optional("deal_record_configuration") {
            deal = configuration.value.isNull ? .null : try DealConfiguration.read(configuration, catalog)
        }
        if outsideBusinessHours, !outsideAvailability {
            throw .mismatch("allow_booking_outside_businesshours", with: "allow_booking_outside_service_availability", at: input.path)
        }
        if jobSheet {
            if ending == .clock { throw .mismatch("show_job_sheet", with: "when_duration_exceeds", at: input.path) }
            guard ServicePreferences(catalog).jobSheets else { throw .invalid(at: input.path.appending("show_job_sheet")) }
        }
        if completion == .deal, deal.isNull {
            throw .dependent("deal_record_configuration", on: "when_appointment_completed", at: input.path)
        }
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(_ input: JSONCursor) throws(Rejection) -> Choice {
        guard let found = input.value.string.flatMap(Choice.init(rawValue:)) else {
            throw .unsupported(Choice.allCases.map(\.rawValue), at: input.path)
        }
        return found
    }
}

extension Services {
    /// Puts the one settings document of this kind, made from the newest catalog.
    package func storeSetting(_ kind: Document.Kind, by user: UserID, _ make: @Sendable @escaping (Catalog) throws -> JSONValue)
        async throws
    {
        try await changeMetadata(by: user) { scope in
            try scope.put(kind, try make(scope.catalog))
        }
    }
}

extension MetadataScope {
    /// The one document of this kind.
    func put(_ kind: Document.Kind, _ body: JSONValue) throws {
        if let stored = catalog.documents(kind).first { try replace(stored.id, body: body) } else { try add(kind, nil, body) }
    }
}
