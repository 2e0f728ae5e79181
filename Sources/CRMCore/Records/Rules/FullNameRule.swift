import Metadata
import SQLStore

/// Keeps the stored name of a person equal to first and last name.
struct FullNameRule: RecordRule {
    func concerns(_ module: Module) -> Bool { module.field("Full_Name") != nil && module.field("Last_Name") != nil }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws { Self.apply(to: &change.after) }

    /// Also used by merge, which sets names without passing the rules.
    static func apply(to record: inout Record) {
        guard record.module.field("Full_Name") != nil, record.module.field("Last_Name") != nil else { return }
        let parts = [record["First_Name"].text, record["Last_Name"].text].compactMap(\.self).filter { !$0.isEmpty }
        record["Full_Name"] = parts.isEmpty ? .null : .text(parts.joined(separator: " "))
    }
}
