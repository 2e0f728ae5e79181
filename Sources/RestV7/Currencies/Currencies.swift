import CRMCore
import HTTPShell
import Metadata
import Wire

/// The currencies in use. Contract: currencies, 205.
enum ListCurrencies: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/org/currencies", entry: "205", scope: .fixed(["ZohoCRM.settings.currencies.READ"]))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        let currencies = Currency.all(context.catalog)
        guard !currencies.isEmpty else { throw Rejection(.currenciesNotEnabled) }
        return .json(["currencies": .array(currencies.map(shown))])
    }

    static func shown(_ currency: Currency) -> JSONValue { .object([.init("id", .id(currency.id))] + (currency.body.members ?? [])) }
}

/// One currency. Contract: currencies, 205.
enum GetCurrency: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/org/currencies/{currency_id}", entry: "205", scope: .fixed(["ZohoCRM.settings.currencies.READ"]))

    struct Input: EndpointInput {
        let id: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { id = request.path["currency_id"] ?? "" }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let currencies = Currency.all(context.catalog)
        guard !currencies.isEmpty else { throw Rejection(.currenciesNotEnabled) }
        guard let found = currencies.first(where: { String($0.id.raw) == input.id }) else { return .nothing }
        return .json(["currencies": [ListCurrencies.shown(found)]])
    }
}

/// What there is to choose from. Not in the directory; the SDKs have it (currencies, 205).
enum ListAvailableCurrencies: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/org/currencies/actions/available_currencies", entry: "", scope: .fixed(["ZohoCRM.settings.currencies.READ"]))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        let all = KnownCurrency.all.map { known -> JSONValue in
            [
                "display_value": .string(known.displayValue), "display_name": .string(known.name), "iso_code": .string(known.code),
                "symbol": .string(known.symbol), "decimal_places": .string(known.decimals), "decimal_separator": "Period",
                "thousand_separator": "Comma",
            ]
        }
        return .json(["available_currencies": .array(all)])
    }
}

/// Adds currencies. Contract: currencies, 206.
enum AddCurrencies: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/org/currencies", entry: "206", scope: .fixed(["ZohoCRM.settings.currencies.CREATE"]))

    struct Input: EndpointInput {
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: SettingsPermission.currencies)
            items = try request.json().items("currencies")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.addCurrencies(input.items, by: context.access.user)
        return .items("currencies", outcomes, saying: "The currency created successfully.")
    }
}

/// Changes currencies. Contract: currencies, 207.
enum UpdateCurrencies: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/org/currencies", entry: "207", scope: .fixed(["ZohoCRM.settings.currencies.UPDATE"]))

    struct Input: EndpointInput {
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: SettingsPermission.currencies)
            let id = request.path["currency_id"] == nil ? nil : try request.recordID("currency_id", index: 0)
            let items = try request.json().items("currencies", limit: id == nil ? 100 : 1)
            self.items = id.map { id in items.map { $0.naming(id) } } ?? items
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.changeCurrencies(input.items, base: false, by: context.access.user)
        return .items("currencies", outcomes, saying: "The currency updated successfully.")
    }
}

/// Changes the currency of the path. Contract: currencies, 207.
enum UpdateCurrency: SameWork {
    typealias Work = UpdateCurrencies
    static let declaration = Declaration(
        .put, "/crm/v7/org/currencies/{currency_id}", entry: "207", scope: .fixed(["ZohoCRM.settings.currencies.UPDATE"]))
}

/// The base currency of a body; its answer is an object, not an array.
struct BaseCurrencyInput: EndpointInput {
    let item: JSONCursor
    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try context.access.require(permission: SettingsPermission.currencies)
        item = try request.json().required("base_currency")
        _ = try item.object()
    }

    static func reply(_ message: String, _ work: () async throws -> RecordID) async throws -> Reply {
        do {
            return .json(["base_currency": .success(message, details: ["id": .id(try await work())])])
        } catch let rejection as Rejection {
            return .json(["base_currency": rejection.result], status: rejection.status)
        }
    }
}

/// Turns on the use of several currencies. Contract: currencies, 208.
enum EnableCurrencies: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/org/currencies/actions/enable", entry: "208", scope: .fixed(["ZohoCRM.settings.currencies.CREATE"]))

    static func respond(_ input: BaseCurrencyInput, _ context: RequestContext) async throws -> Reply {
        try await BaseCurrencyInput.reply("The multi-currency feature is enabled and given currency is created as the base currency.") {
            try await context.services.enableCurrencies(input.item, by: context.access.user)
        }
    }
}

/// Changes the base currency. Contract: currencies, 207.
enum UpdateBaseCurrency: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/org/currencies/actions/enable", entry: "207", scope: .fixed(["ZohoCRM.settings.currencies.UPDATE"]))

    static func respond(_ input: BaseCurrencyInput, _ context: RequestContext) async throws -> Reply {
        try await BaseCurrencyInput.reply("The currency updated successfully") {
            let outcomes = try await context.services.changeCurrencies([input.item], base: true, by: context.access.user)
            guard let outcome = outcomes.first else { throw Rejection(.internalError) }
            return try outcome.get()
        }
    }
}

/// Currencies and taxes of the organisation. Contract: currencies, 205 to 208.
let currencyEndpoints: [any Endpoint.Type] = [
    ListCurrencies.self, GetCurrency.self, ListAvailableCurrencies.self, AddCurrencies.self, UpdateCurrencies.self, UpdateCurrency.self,
    EnableCurrencies.self, UpdateBaseCurrency.self, ListTaxes.self, GetTax.self, UpdateTaxes.self,
]
