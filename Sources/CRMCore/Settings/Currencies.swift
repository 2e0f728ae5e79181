import Metadata
import SQLStore
import Wire

extension Services {
    /// As many currencies as may be active at once.
    package static let mostActive = 10

    /// Turns on the use of several currencies: the base, and the fields in which records name theirs.
    package func enableCurrencies(_ item: JSONCursor, by user: UserID) async throws -> RecordID {
        try await changeMetadata { scope in
            guard Currency.all(scope.catalog).isEmpty else {
                throw Rejection(.alreadyEnabled, message: "The multi-currency is already enabled")
            }
            var base = try Currency(new: item, id: scope.ids.next(), base: true)
            stamp(&base, user, scope)
            try scope.add([Document(id: base.id, kind: .currency, apiName: base.code, body: base.body)])
            if let org = scope.catalog.documents(.org).first {
                var body = org.body
                for (key, value) in [
                    ("mc_status", true), ("iso_code", base.body["iso_code"]), ("currency_symbol", base.body["symbol"]),
                    ("currency", base.body["name"]),
                ] as [(String, JSONValue?)] {
                    body[key] = value ?? .null
                }
                try scope.replace(org.id, body: body)
            }
            let fields = try OptionalFields.documents("multi_currency", scope.catalog, ids: { scope.ids.next() }).map {
                offer([base], in: $0)
            }
            try scope.add(fields)
            try CurrencyFillJob.enqueue(scope)
            return base.id
        }
    }

    package func addCurrencies(_ items: [JSONCursor], by user: UserID) async throws -> [Result<RecordID, Rejection>] {
        try await changeMetadata { scope in
            var known = Currency.all(scope.catalog)
            var made: [Currency] = []
            guard !known.isEmpty else { throw Rejection(.currenciesNotEnabled) }
            let outcomes = items.map { item in
                Result { () throws(Rejection) -> RecordID in
                    var currency = try Currency(new: item, id: scope.ids.next(), base: false)
                    if known.contains(where: { $0.code == currency.code }) { throw .duplicate(at: item.path.appending("iso_code")) }
                    try refuseTooMany(known + [currency], at: item.path)
                    stamp(&currency, user, scope)
                    known.append(currency)
                    made.append(currency)
                    return currency.id
                }
            }
            try scope.add(
                made.map { Document(id: $0.id, kind: .currency, apiName: $0.code, body: $0.body) })
            try offerEverywhere(known, scope)
            return outcomes
        }
    }

    /// `base` says whether the caller came by the path for the base currency; the others go by the ordinary one.
    package func changeCurrencies(_ items: [JSONCursor], base: Bool, by user: UserID) async throws -> [Result<RecordID, Rejection>] {
        try await changeMetadata { scope in
            var known = Currency.all(scope.catalog)
            guard !known.isEmpty else { throw Rejection(.featureNotEnabled, message: "Multi currency is not enabled", status: 403) }
            let outcomes = items.map { item in
                Result { () throws(Rejection) -> RecordID in
                    let index: Int?
                    if base, item.optional("id") == nil {
                        index = known.firstIndex(where: \.isBase)
                    } else {
                        let id = try item.required("id").recordID()
                        index = known.firstIndex { $0.id == id && (!base || $0.isBase) }
                    }
                    guard let index else { throw .invalid(at: item.path.appending("id"), message: "Currency id is invalid.") }
                    if known[index].isBase, !base {
                        throw .notAllowed(at: item.path.appending("id"), message: "the base currency is changed by its own path")
                    }
                    var currency = known[index]
                    try currency.change(item)
                    var after = known
                    after[index] = currency
                    try refuseTooMany(after, at: item.path)
                    stamp(&currency, user, scope)
                    known[index] = currency
                    return currency.id
                }
            }
            for outcome in outcomes {
                guard let id = try? outcome.get(), let currency = known.first(where: { $0.id == id }) else { continue }
                try scope.replace(id, body: currency.body)
            }
            try offerEverywhere(known, scope)
            return outcomes
        }
    }

    private func refuseTooMany(_ currencies: [Currency], at path: JSONPath) throws(Rejection) {
        guard currencies.filter(\.isActive).count <= Self.mostActive else {
            throw Rejection(.activeStateLimitExceeded, .jsonPath(path), .other("limit", .integer(Self.mostActive)))
        }
    }

    private func stamp(_ currency: inout Currency, _ user: UserID, _ scope: MetadataScope) {
        let person = scope.catalog.user(user).map { ["name": .string($0.fullName), "id": .string(String($0.id.raw))] as JSONValue }
        currency.stamp(by: person ?? .null, at: .string(scope.now.iso(offsetMinutes: scope.catalog.zone.offsetMinutes(at: scope.now))))
    }

    /// Every module's Currency field offers what is active.
    private func offerEverywhere(_ currencies: [Currency], _ scope: MetadataScope) throws {
        for document in scope.catalog.documents(.field) where document.apiName == "Currency" {
            let body = offer(currencies, in: document).body
            if body != document.body { try scope.replace(document.id, body: body) }
        }
    }

    private func offer(_ currencies: [Currency], in field: Document) -> Document {
        guard field.apiName == "Currency" else { return field }
        var body = field.body
        body["pick_list_values"] = .array(
            currencies.filter(\.isActive).enumerated().map { index, currency in
                [
                    "display_value": .string(currency.code), "actual_value": .string(currency.code),
                    "reference_value": .string(currency.code),
                    "sequence_number": .integer(index + 1), "default": .bool(currency.isBase), "id": .id(currency.id),
                ]
            })
        return Document(id: field.id, kind: field.kind, parent: field.parent, apiName: field.apiName, body: body)
    }
}
