import Metadata
import Wire

/// Who survives a merge of many, and whose value each field takes. Read from JSON, given with a request or stored for a module.
package struct SurvivorshipPolicy: Sendable, Equatable {
    /// How the master is chosen when the request names none. Ties go to the lowest id.
    package enum MasterRule: String, Sendable, CaseIterable {
        case mostRecentActivity = "most_recent_activity"
        case oldest, newest
        case mostComplete = "most_complete"
        case mostRelated = "most_related"
    }

    /// Whose value a field takes. Empty values never win over others.
    package enum Strategy: String, Sendable, CaseIterable {
        /// The master's, empty or not.
        case master
        /// The master's, else that of the first other record that has one.
        case firstNonEmpty = "first_non_empty"
        /// The one written last, by the field's history; by the record's when the history does not know.
        case mostRecent = "most_recent"
        case longest
        case mostFrequent = "most_frequent"
        /// Multi-select values and tags: all of them.
        case union
        /// That of the record whose `Lead_Source` stands first in `trusted_sources`.
        case trustedSource = "trusted_source"
        case maximum = "max"
        case minimum = "min"
    }

    /// Fields taken whole from one record, so that no street gets another record's town.
    package struct Group: Sendable, Equatable {
        package let fields: [String]
        package let strategy: Strategy
    }

    package var masterRule = MasterRule.mostRecentActivity
    package var standard = Strategy.firstNonEmpty
    package var fields: [String: Strategy] = [:]
    package var groups: [Group] = []
    package var trustedSources: [String] = []

    /// Master first, blanks filled, and the groups a module needs kept whole.
    package static func standard(for module: Module) -> SurvivorshipPolicy {
        var policy = SurvivorshipPolicy()
        policy.groups = standardGroups.filter { group in group.allSatisfy { module.field($0) != nil } }
            .map { Group(fields: $0, strategy: .firstNonEmpty) }
        return policy
    }

    private static let standardGroups: [[String]] = [
        ["Account_Name", "Reporting_To"], ["Pipeline", "Stage"], ["Amount", "Currency", "Exchange_Rate"],
        ["Street", "City", "State", "Zip_Code", "Country"],
        ["Mailing_Street", "Mailing_City", "Mailing_State", "Mailing_Zip", "Mailing_Country"],
        ["Other_Street", "Other_City", "Other_State", "Other_Zip", "Other_Country"],
        ["Billing_Street", "Billing_City", "Billing_State", "Billing_Code", "Billing_Country"],
        ["Shipping_Street", "Shipping_City", "Shipping_State", "Shipping_Code", "Shipping_Country"],
    ]

    /// Reads what is given over what is standard for the module; an unknown word or field is refused with its path.
    package init(_ json: JSONCursor, for module: Module) throws(Rejection) {
        self = .standard(for: module)
        _ = try json.object()
        if let rule = json.optional("master") { masterRule = try Self.word(rule) }
        if let standard = json.optional("default") { self.standard = try Self.word(standard) }
        if let fields = json.optional("fields") {
            for member in try fields.object() {
                let cursor = JSONCursor(member.value, at: fields.path.appending(member.name))
                guard module.field(member.name) != nil else {
                    throw .invalid(at: cursor.path, message: "the field api name given seems to be invalid")
                }
                self.fields[member.name] = try Self.word(cursor)
            }
        }
        if let groups = json.optional("groups") {
            var read: [Group] = []
            for group in try groups.elements() { read.append(try Self.group(group, module)) }
            self.groups = read
        }
        if let sources = json.optional("trusted_sources") {
            var read: [String] = []
            for source in try sources.elements() { read.append(try source.string()) }
            trustedSources = read
        }
    }

    private init() {}

    private static func group(_ json: JSONCursor, _ module: Module) throws(Rejection) -> Group {
        var names: [String] = []
        for field in try json.required("fields").elements(2...50) {
            let name = try field.string()
            guard module.field(name) != nil else { throw .invalid(at: field.path, message: "the field api name given seems to be invalid") }
            names.append(name)
        }
        let strategy: Strategy = try json.optional("strategy").map { (word) throws(Rejection) in try Self.word(word) } ?? .firstNonEmpty
        return Group(fields: names, strategy: strategy)
    }

    private static func word<Word: RawRepresentable & CaseIterable>(_ json: JSONCursor) throws(Rejection) -> Word
    where Word.RawValue == String {
        guard let word = Word(rawValue: try json.string()) else { throw .unsupported(Word.allCases.map(\.rawValue), at: json.path) }
        return word
    }
}
