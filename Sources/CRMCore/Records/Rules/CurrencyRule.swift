import Metadata
import SQLStore
import Wire

/// Records trade in the base currency unless they say otherwise, at the rate of the day they say so.
struct CurrencyRule: RecordRule {
    func concerns(_ module: Module) -> Bool { module.field("Currency") != nil && module.field("Exchange_Rate") != nil }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        let currencies = Currency.all(scope.catalog)
        guard let base = currencies.first(where: \.isBase) else { return }
        if change.after["Currency"].isNull { change.after["Currency"] = .text(base.code) }
        guard change.after["Currency"] != change.before?["Currency"] else { return }
        guard let currency = currencies.first(where: { $0.code == change.after["Currency"].text && $0.isActive }) else {
            throw Rejection.invalid(at: change.path.appending("Currency"))
        }
        if !change.gave("Exchange_Rate") || change.after["Exchange_Rate"].isNull { change.after["Exchange_Rate"] = .real(currency.rate) }
    }
}
