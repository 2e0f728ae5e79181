import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Currencies and taxes. Contract: `endpoints/currencies.md`, 205 to 208; `extra_operations.tsv`, org/taxes.
@Suite struct CurrenciesTests {
    private static let path = "/crm/v7/org/currencies"
    private static let dollar: JSONValue = [
        "name": "US Dollar - USD", "iso_code": "USD", "symbol": "$", "exchange_rate": "1.0", "prefix_symbol": true,
    ]
    private static let euro: JSONValue = ["name": "Euro - EUR", "iso_code": "EUR", "symbol": "€", "exchange_rate": "0.92"]

    private func rows(_ server: TestServer, _ token: String) async -> [JSONValue] {
        await server.send("GET", Self.path, token: token).json?["currencies"]?.array ?? []
    }

    @Test(arguments: TestServer.engines) func severalCurrenciesAreTurnedOnAddedAndChanged(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let off: [(String, String, JSONValue?, String, Int)] = [
                ("GET", Self.path, nil, "CURRENCIES_NOT_ENABLED", 403),
                ("POST", Self.path, ["currencies": [Self.euro]], "CURRENCIES_NOT_ENABLED", 403),
                ("PUT", Self.path, ["currencies": [["id": "1"]]], "FEATURE_NOT_ENABLED", 403),
            ]
            for (method, path, body, code, status) in off {
                let answer = await server.send(method, path, body, token: token)
                #expect(answer.status == status && answer.json?["code"]?.string == code, "\(method): \(answer.text)")
            }
            let early = try await server.add("Leads", ["Last_Name": "Early", "Currency": "EUR"], token: token)
            #expect(await server.record("Leads", early, token: token)?["Currency"] == nil)

            let wrong: [(JSONValue, String)] = [
                (["name": "US Dollar - USD", "iso_code": "USD"], "MANDATORY_NOT_FOUND"),
                (["name": "Dollars", "iso_code": "USD", "exchange_rate": "1.0"], "INVALID_DATA"),
                (["name": "Moon - MUN", "iso_code": "MUN", "exchange_rate": "1.0"], "INVALID_DATA"),
                (["name": "US Dollar - USD", "iso_code": "USD", "exchange_rate": "2"], "INVALID_DATA"),
            ]
            for (item, code) in wrong {
                let answer = await server.send("POST", Self.path + "/actions/enable", ["base_currency": item], token: token)
                #expect(answer.status == 400 && answer.json?["base_currency"]?["code"]?.string == code, "\(item): \(answer.text)")
            }
            #expect(await server.send("POST", Self.path + "/actions/enable", [:], token: token).json?["code"] == "MANDATORY_NOT_FOUND")
            let enabled = await server.send("POST", Self.path + "/actions/enable", ["base_currency": Self.dollar], token: token)
            #expect(
                enabled.json?["base_currency"]?["message"]
                    == "The multi-currency feature is enabled and given currency is created as the base currency.", "\(enabled.text)")
            let base = enabled.json?["base_currency"]?["details"]?["id"] ?? .null
            let twice = await server.send("POST", Self.path + "/actions/enable", ["base_currency": Self.dollar], token: token)
            #expect(twice.status == 400 && twice.json?["base_currency"]?["code"] == "ALREADY_ENABLED")
            #expect(await server.send("GET", "/crm/v7/org", token: token).json?.first("org")?["mc_status"] == true)

            let added = await server.send("POST", Self.path, ["currencies": [Self.euro, Self.euro, ["name": "Euro - EUR"]]], token: token)
            #expect(added.status == 207 && added.json?.codes("currencies") == ["SUCCESS", "DUPLICATE_DATA", "MANDATORY_NOT_FOUND"])
            #expect(added.json?.first("currencies")?["message"] == "The currency created successfully.")
            let euro = added.json?.first("currencies")?["details"]?["id"]?.string ?? ""
            let shown = await rows(server, token)
            #expect(
                shown.map { $0["iso_code"] } == ["USD", "EUR"] && shown[0]["is_base"] == true && shown[1]["exchange_rate"] == "0.920000000")
            #expect(shown[1]["format"] == ["decimal_separator": "Period", "thousand_separator": "Comma", "decimal_places": "2"])
            #expect(shown[1]["created_by"]?["name"] == .string(server.administrator.fullName))

            let format: JSONValue = ["decimal_separator": "Comma", "thousand_separator": "Period"]
            let changed = await server.send(
                "PUT", Self.path + "/\(euro)", ["currencies": [["exchange_rate": 0.95, "format": format, "name": "x", "iso_code": "GBP"]]],
                token: token)
            #expect(changed.json?.first("currencies")?["message"] == "The currency updated successfully.", "\(changed.text)")
            let one = await server.send("GET", Self.path + "/\(euro)", token: token).json?.first("currencies")
            #expect(
                one?["exchange_rate"] == "0.950000000" && one?["name"] == "Euro - EUR" && one?["format"]?["decimal_separator"] == "Comma")
            let bad: [(JSONValue, String)] = [
                (["id": "12"], "INVALID_DATA"), ([:], "MANDATORY_NOT_FOUND"), (["id": base, "symbol": "US$"], "NOT_ALLOWED"),
                (["id": .string(euro), "symbol": ""], "INVALID_DATA"),
                (["id": .string(euro), "format": ["decimal_separator": "Period"]], "NOT_ALLOWED"),
                (["id": .string(euro), "exchange_rate": "0"], "INVALID_DATA"),
            ]
            let answer = await server.send("PUT", Self.path, ["currencies": .array(bad.map(\.0))], token: token)
            #expect(answer.status == 400 && answer.json?.codes("currencies") == bad.map(\.1), "\(answer.text)")
            let baseChanged = await server.send("PUT", Self.path + "/actions/enable", ["base_currency": ["symbol": "US$"]], token: token)
            #expect(baseChanged.json?["base_currency"]?["details"]?["id"] == base)
            #expect(await rows(server, token)[0]["symbol"] == "US$")

            let codes = ["GBP", "INR", "JPY", "CHF", "SEK", "NOK", "DKK", "CAD", "AUD"]
            let more = JSONValue.array(
                codes.map { code in
                    ["name": .string(KnownCurrency.of(code)?.displayValue ?? ""), "iso_code": .string(code), "exchange_rate": "2"]
                })
            #expect(
                await server.send("POST", Self.path, ["currencies": more], token: token).json?.codes("currencies").last
                    == "ACTIVE_STATE_LIMIT_EXCEEDED")
            let available =
                await server.send("GET", Self.path + "/actions/available_currencies", token: token).json?["available_currencies"]?.array
                ?? []
            #expect(available.count > 100 && available.contains { $0["display_value"] == "Euro - EUR" })
            let reader = try await server.token("ZohoCRM.settings.currencies.READ")
            #expect(await server.send("GET", Self.path, token: reader).status == 200)
            for method in ["POST", "PUT"] { #expect(await server.send(method, Self.path, [:], token: reader).status == 401) }
        }
    }

    /// 208, effects: Currency and Exchange_Rate are fields from then on.
    @Test(arguments: TestServer.engines) func recordsNameTheirCurrencyAndRate(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            await server.send("POST", Self.path + "/actions/enable", ["base_currency": Self.dollar], token: token)
            await server.send("POST", Self.path, ["currencies": [Self.euro]], token: token)
            let fields = await server.send("GET", "/crm/v7/settings/fields?module=Deals", token: token).json?["fields"]?.array ?? []
            let currency = fields.first { $0["api_name"] == "Currency" }
            #expect(currency?["pick_list_values"]?.array?.map { $0["display_value"] } == ["USD", "EUR"])
            #expect(fields.contains { $0["api_name"] == "Exchange_Rate" })

            let plain = try await server.add("Deals", ["Deal_Name": "A", "Stage": "Qualification"], token: token)
            let europe = try await server.add("Deals", ["Deal_Name": "B", "Stage": "Qualification", "Currency": "EUR"], token: token)
            let agreed = try await server.add(
                "Deals", ["Deal_Name": "C", "Stage": "Qualification", "Currency": "EUR", "Exchange_Rate": 0.9], token: token)
            for (id, code, rate) in [(plain, "USD", 1.0), (europe, "EUR", 0.92), (agreed, "EUR", 0.9)] as [(String, String, Double)] {
                let record = await server.record("Deals", id, token: token)
                #expect(record?["$currency_symbol"] == (code == "EUR" ? "€" : "$"))
                #expect(record?["Currency"] == .string(code) && record?["Exchange_Rate"]?.double == rate, "\(code) \(rate)")
            }
            let wrong = await server.send(
                "POST", "/crm/v7/Deals", ["data": [["Deal_Name": "D", "Stage": "Qualification", "Currency": "GBP"]]], token: token)
            #expect(wrong.json?.first("data")?["code"] == "INVALID_DATA")
            await server.send("PUT", "/crm/v7/Deals/\(plain)", ["data": [["Currency": "EUR"]]], token: token)
            #expect(await server.record("Deals", plain, token: token)?["Exchange_Rate"]?.double == 0.92)
        }
    }

    @Test(arguments: TestServer.engines) func taxesAreKeptInOrder(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let path = "/crm/v7/org/taxes"
            let first = await server.send("GET", path, token: token).json?["org_taxes"]?["taxes"]?.array ?? []
            #expect(first.map { $0["name"] } == ["Sales Tax", "Vat"] && first[0]["display_label"] == "Sales Tax - 0.0 %")
            let body: JSONValue = [
                "org_taxes": [
                    "taxes": [["name": "Eco", "value": 12.5, "sequence_number": 1], ["id": first[1]["id"] ?? .null, "value": 20]]
                ]
            ]
            let changed = await server.send("PUT", path, body, token: token)
            #expect(
                changed.json?["org_taxes"]?["message"] == "tax added"
                    && changed.json?["org_taxes"]?["details"]?["taxes"]?.array?.count == 2, "\(changed.text)")
            let after = await server.send("GET", path, token: token).json?["org_taxes"]?["taxes"]?.array ?? []
            #expect(after.map { $0["display_label"] } == ["Eco - 12.5 %", "Sales Tax - 0.0 %", "Vat - 20.0 %"])
            let eco = after[0]["id"]?.string ?? ""
            #expect(
                await server.send("GET", path + "/\(eco)", token: token).json?["org_taxes"]?["taxes"]?.array?.map { $0["name"] } == ["Eco"])
            let bad: [(JSONValue, String)] = [
                (["id": "12", "value": 1], "INVALID_DATA"), (["value": 1], "MANDATORY_NOT_FOUND"),
                (["name": "vat", "value": 1], "DUPLICATE_DATA"),
                (["name": "x", "value": "much"], "INVALID_DATA"), (["id": .string(eco), "sequence_number": 9], "INVALID_DATA"),
            ]
            for (item, code) in bad {
                let answer = await server.send("PUT", path, ["org_taxes": ["taxes": [["name": "Never", "value": 1], item]]], token: token)
                #expect(answer.status == 400 && answer.json?["org_taxes"]?["code"]?.string == code, "\(item): \(answer.text)")
            }
            let gone = await server.send("PUT", path, ["org_taxes": ["taxes": [["id": .string(eco), "_delete": true]]]], token: token)
            #expect(gone.json?["org_taxes"]?["message"] == "tax deleted")
            #expect(await server.send("GET", path + "/\(eco)", token: token).status == 204)
            #expect(await server.send("GET", path, token: token).json?["org_taxes"]?["taxes"]?.array?.count == 2)
            #expect(await server.send("PUT", path, body, token: try await server.token("ZohoCRM.settings.taxes.READ")).status == 401)
        }
    }

    /// 208: records that were there before trade in the base currency, which is no change anybody made.
    @Test(arguments: TestServer.engines) func recordsFromBeforeGetTheBaseCurrency(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let old = try await server.add("Deals", ["Deal_Name": "Old", "Stage": "Qualification"], token: token)
            let before = await server.record("Deals", old, token: token)
            await server.send("POST", Self.path + "/actions/enable", ["base_currency": Self.dollar], token: token)
            await JobWorker(server.services).drain()
            let after = await server.record("Deals", old, token: token)
            #expect(after?["Currency"] == "USD" && after?["Exchange_Rate"]?.double == 1, "\(String(describing: after))")
            #expect(after?["Modified_Time"] == before?["Modified_Time"])
            let timeline = await server.send("GET", "/crm/v7/Deals/\(old)/__timeline", token: token)
            #expect(timeline.json?["__timeline"]?.array?.count == 1, "\(timeline.text)")
        }
    }

    /// The SDKs' `taxes.Preference`.
    @Test(arguments: TestServer.engines) func linesTakeTheTaxesOfTheirProductWhereWanted(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let path = "/crm/v7/org/taxes"
            let first = await server.send("GET", path, token: token).json?["org_taxes"]
            #expect(first?["preference"] == ["auto_populate_tax": false, "modify_tax_rates": false])
            let vat = first?["taxes"]?.array?.last?["id"] ?? .null
            let wish: JSONValue = ["org_taxes": ["taxes": [["id": vat, "value": 20]], "preference": ["auto_populate_tax": true]]]
            #expect(await server.send("PUT", path, wish, token: token).status == 200)
            let after = await server.send("GET", path, token: token).json?["org_taxes"]?["preference"]
            #expect(after == ["auto_populate_tax": true, "modify_tax_rates": false])
            let bad = await server.send("PUT", path, ["org_taxes": ["preference": ["auto_populate_tax": "yes"]]], token: token)
            #expect(bad.status == 400, "\(bad.text)")

            let product = try await server.add(
                "Products", ["Product_Name": "Lamp", "Unit_Price": 10, "Tax": ["Vat - 20.0 %"]], token: token)
            let line: JSONValue = ["Product_Name": ["id": .string(product)], "Quantity": 1]
            var free = line
            free["Line_Tax"] = []
            let quote = try await server.add("Quotes", ["Subject": "q", "Quoted_Items": [line, free]], token: token)
            let lines = await server.record("Quotes", quote, token: token)?["Quoted_Items"]?.array ?? []
            #expect(lines.map { $0["Tax"]?.double } == [2, 0], "\(lines)")
            #expect(await server.send("PUT", path, ["org_taxes": ["preference": ["auto_populate_tax": false]]], token: token).status == 200)
        }
    }
}
