import Wire

/// A value of a field, freed from its JSON form and not yet in its SQL form.
package enum FieldValue: Sendable, Hashable {
    case null
    case text(String)
    case integer(Int64)
    case number(Double)
    case flag(Bool)
    case date(CalendarDate)
    case instant(Instant)
    /// The chosen values of a multi-select picklist, in the order given.
    case choices([String])
    /// A record or user; the module is named where the field may point into several.
    case reference(RecordID, ModuleID?)
    /// A structured value kept as it came: reminders, recurrence, line tax.
    case json(JSONValue)

    package var isNull: Bool { self == .null }

    /// The id a lookup holds.
    package var referenced: RecordID? {
        if case .reference(let id, _) = self { return id }
        return nil
    }

    package var text: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    /// The form kept in the change log.
    package var json: JSONValue {
        switch self {
        case .null: .null
        case .text(let text): .string(text)
        case .integer(let value): .integer(value)
        case .number(let value): .real(value)
        case .flag(let flag): .bool(flag)
        case .date(let date): .string(date.iso)
        case .instant(let instant): .integer(instant.milliseconds)
        case .choices(let chosen): .array(chosen.map(JSONValue.string))
        case .reference(let id, _): .id(id)
        case .json(let value): value
        }
    }
}
