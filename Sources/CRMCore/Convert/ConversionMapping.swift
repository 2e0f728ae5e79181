import Metadata
import SQLStore
import Wire

/// Which values of a lead go where, as the metadata of its fields say (`metadata/conversions.md`).
struct ConversionMapping {
    /// What belongs to a person whatever the metadata say; losing an opt-out would be worse than keeping one.
    private static let always: [String: [(String, String)]] = [
        "Contacts": [("Salutation", "Salutation"), ("Email_Opt_Out", "Email_Opt_Out")]
    ]

    let leads: Module

    /// The fields of a target, each with the field of leads that fills it.
    func pairs(to target: Module) -> [(from: Field, to: Field)] {
        let mapped = leads.fields.compactMap { field -> (from: Field, to: Field)? in
            field.body["convert_mapping"]?[target.apiName]?.string.flatMap { target.field($0) }.map { (field, $0) }
        }
        let besides = (Self.always[target.apiName] ?? []).compactMap { from, to -> (from: Field, to: Field)? in
            guard let from = leads.field(from), let to = target.field(to), !mapped.contains(where: { $0.to === to }) else { return nil }
            return (from, to)
        }
        return (mapped + besides).filter { Self.fit($0.from, $0.to) }
    }

    /// Of one kind, so that a value can be taken over as it is stored.
    private static func fit(_ from: Field, _ to: Field) -> Bool {
        let (given, taken) = (from.plainType, to.plainType)
        return !from.columns.isEmpty && !to.columns.isEmpty && given.storage == taken.storage
            && (given.comparison == taken.comparison || given.storage == [.text]) && given.cell == taken.cell
    }

    /// Fills a new record. A text that the target has no room for is refused rather than cut.
    func fill(_ record: inout Record, from lead: Record, at path: JSONPath) throws(Rejection) {
        for (from, to) in pairs(to: record.module) where !lead[from].isNull {
            if let text = lead[from].text, let most = to.length, from.plainType.comparison == .text, text.utf8.count > most,
                text.unicodeScalars.count > most
            {
                throw .tooLong(most, at: path.appending(to.apiName))
            }
            record.take(to, from: lead, from)
        }
    }
}
