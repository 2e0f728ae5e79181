import Metadata
import SQLStore
import Wire

/// A tax of the organisation.
package struct Tax: Sendable, Equatable {
    package let id: RecordID
    package var name: String
    /// In percent.
    package var value: Double

    package static func all(_ catalog: Catalog) -> [Tax] {
        let documents = catalog.documents(.tax).sorted {
            ($0.body["sequence_number"]?.int64 ?? 0, $0.id) < ($1.body["sequence_number"]?.int64 ?? 0, $1.id)
        }
        return documents.map { Tax(id: $0.id, name: $0.body["name"]?.string ?? "", value: $0.body["value"]?.double ?? 0) }
    }
}

/// What the organisation prefers about taxes (the SDKs' `taxes.Preference`).
package struct TaxPreferences: Sendable {
    static let kind: Document.Kind = "tax_preference"
    /// Whether a line takes the taxes of its product when it names none.
    package private(set) var fillsLines = false
    package private(set) var changesRates = false

    package init(_ catalog: Catalog) {
        guard let body = catalog.documents(Self.kind).first?.body else { return }
        fillsLines = body["auto_populate_tax"]?.bool ?? false
        changesRates = body["modify_tax_rates"]?.bool ?? false
    }

    package var body: JSONValue { ["auto_populate_tax": .bool(fillsLines), "modify_tax_rates": .bool(changesRates)] }

    package func changed(_ input: JSONCursor) throws(Rejection) -> TaxPreferences {
        _ = try input.object()
        var changed = self
        if let flag = input.optional("auto_populate_tax") { changed.fillsLines = try flag.bool() }
        if let flag = input.optional("modify_tax_rates") { changed.changesRates = try flag.bool() }
        return changed
    }
}

/// What became of the taxes a call named.
package struct TaxChange: Sendable {
    package enum Kind: String, Sendable { case added, updated, deleted }

    package let kind: Kind
    package let tax: Tax
}

extension Services {
    private static let mostTaxes = 100, longestName = 50

    /// Adds, changes and drops taxes, all or none. A tax without id is new; `_delete` drops one.
    package func changeTaxes(_ items: [JSONCursor], preference: JSONCursor? = nil) async throws -> [TaxChange] {
        try await changeMetadata { scope in
            if let preference { try scope.put(TaxPreferences.kind, try TaxPreferences(scope.catalog).changed(preference).body) }
            let before = Tax.all(scope.catalog)
            var taxes = before
            var changes: [TaxChange] = []
            var places: [Int: RecordID] = [:]
            for item in items {
                let (change, place) = try change(item, in: &taxes, ids: scope.ids)
                changes.append(change)
                guard let place, change.kind != .deleted else { continue }
                let path = item.path.appending("sequence_number")
                if places[place] != nil { throw Rejection.invalid(at: path, message: "Sequence number cannot be repeated in same request") }
                places[place] = change.tax.id
            }
            guard taxes.count <= Self.mostTaxes else { throw Rejection(.limitReached, .other("limit", .integer(Self.mostTaxes))) }
            for (place, id) in places.sorted(by: { $0.key < $1.key }) {
                guard (1...taxes.count).contains(place), let index = taxes.firstIndex(where: { $0.id == id }) else {
                    throw Rejection(.invalidData, message: "Sequence number out of range", .apiName("sequence_number"))
                }
                taxes.insert(taxes.remove(at: index), at: place - 1)
            }
            try save(taxes, over: before, scope)
            return changes
        }
    }

    private func change(_ item: JSONCursor, in taxes: inout [Tax], ids: any IDSource) throws(Rejection) -> (TaxChange, place: Int?) {
        _ = try item.object()
        func given(_ name: String) -> JSONCursor? { item.optional(name).flatMap { $0.value.isNull ? nil : $0 } }
        let place = try given("sequence_number").map { place throws(Rejection) in Int(try place.integer()) }
        var tax: Tax
        var kind = TaxChange.Kind.updated
        if let id = given("id") {
            guard let known = taxes.first(where: { $0.id.raw == id.value.looseInt64 }) else {
                throw .invalid(at: id.path, message: "Given ID does not exist")
            }
            tax = known
            if item.value["_delete"]?.bool == true {
                taxes.removeAll { $0.id == known.id }
                return (TaxChange(kind: .deleted, tax: known), nil)
            }
        } else {
            tax = Tax(id: ids.next(), name: try item.required("name").string(max: Self.longestName, min: 1), value: 0)
            _ = try item.required("value")
            kind = .added
        }
        if let name = given("name") { tax.name = try name.string(max: Self.longestName, min: 1) }
        if taxes.contains(where: { $0.id != tax.id && TagDirectory.same($0.name, tax.name) }) {
            throw .duplicate(at: item.path.appending("name"))
        }
        if let value = given("value") {
            guard let number = value.value.double ?? value.value.string.flatMap(Double.init) else {
                throw .wrongType("double", at: value.path)
            }
            guard (0...100).contains(number) else { throw .invalid(at: value.path) }
            tax.value = number
        }
        if let index = taxes.firstIndex(where: { $0.id == tax.id }) { taxes[index] = tax } else { taxes.append(tax) }
        return (TaxChange(kind: kind, tax: tax), place)
    }

    private func save(_ taxes: [Tax], over before: [Tax], _ scope: MetadataScope) throws {
        for (index, tax) in taxes.enumerated() {
            let body: JSONValue = ["name": .string(tax.name), "value": .real(tax.value), "sequence_number": .integer(index + 1)]
            if let known = before.firstIndex(where: { $0.id == tax.id }) {
                if known != index || before[known] != tax { try scope.replace(tax.id, body: body) }
            } else {
                try scope.add([Document(id: tax.id, kind: .tax, apiName: tax.name, body: body)])
            }
        }
        try scope.remove(before.filter { tax in !taxes.contains { $0.id == tax.id } }.map(\.id))
    }
}
