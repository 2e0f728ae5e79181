import Metadata
import SQLStore

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
        policy.groups = groups(boundGroups + addressGroups, of: module)
        return policy
    }

    static func groups(_ lists: [[String]], of module: Module) -> [Group] {
        lists.filter { group in group.allSatisfy { module.field($0) != nil } }
            .map { group in group.filter { name in module.field(name).map { isNameable($0, of: module) } ?? false } }
            .filter { $0.count > 1 }.map { Group(fields: $0, strategy: .firstNonEmpty) }
    }

    /// Fields that mean nothing apart. A policy may say where they come from, but only together.
    static let boundGroups: [[String]] = [
        ["Account_Name", "Reporting_To"], ["Pipeline", "Stage"], ["Amount", "Currency", "Exchange_Rate"],
    ]

    private static let addressGroups: [[String]] = [
        ["Street", "City", "State", "Zip_Code", "Country"],
        ["Mailing_Street", "Mailing_City", "Mailing_State", "Mailing_Zip", "Mailing_Country"],
        ["Other_Street", "Other_City", "Other_State", "Other_Zip", "Other_Country"],
        ["Billing_Street", "Billing_City", "Billing_State", "Billing_Code", "Billing_Country"],
        ["Shipping_Street", "Shipping_City", "Shipping_State", "Shipping_Code", "Shipping_Country"],
    ]

    init() {}
}

extension SurvivorshipPolicy {
    /// Whether the standard strategy reaches a field. What the system sets, and what follows from other fields, is not for choice;
    /// owner and photo stay the master's unless a policy names them.
    static func isOpen(_ field: Field, of module: Module) -> Bool {
        isNameable(field, of: module) && !["Owner", "Record_Image"].contains(field.apiName)
    }

    /// Whether a policy may name a field.
    static func isNameable(_ field: Field, of module: Module) -> Bool {
        guard field.settable, !field.columns.isEmpty, field.type.dataType != "autonumber" else { return false }
        if module.apiName == "Deals", ["Closing_Date", "Probability", "Expected_Revenue"].contains(field.apiName) { return false }
        return !["Layout", "Full_Name", "Last_Activity_Time"].contains(field.apiName)
    }

    /// Whether a strategy can tell values of the field apart.
    static func fits(_ strategy: Strategy, _ field: Field, of module: Module) -> Bool {
        switch strategy {
        case .master, .firstNonEmpty, .mostRecent, .mostFrequent: true
        case .longest: field.plainType.storage == [.text]
        case .union: field.type.comparison == .choices
        case .trustedSource: module.field("Lead_Source") != nil
        case .maximum, .minimum: [.number, .date, .instant, .flag].contains(field.plainType.comparison)
        }
    }
}
