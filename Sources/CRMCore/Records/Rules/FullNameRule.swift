import Metadata
import SQLStore

/// Keeps the stored name of a person equal to first and last name.
struct FullNameRule: RecordRule {
    static let first = "First_Name"
    static let last = "Last_Name"
    static let whole = "Full_Name"

    /// The fields of names, looked up once for a batch.
    private struct Names {
        let first: Field?
        let last: Field
        let whole: Field

        init?(_ module: Module) {
            guard let whole = module.field(FullNameRule.whole), let last = module.field(FullNameRule.last) else { return nil }
            self.whole = whole
            self.last = last
            first = module.field(FullNameRule.first)
        }

        func apply(to record: inout Record) {
            let parts = [first.flatMap { record[$0].text }, record[last].text].compactMap(\.self).filter { !$0.isEmpty }
            record[whole] = parts.isEmpty ? .null : .text(parts.joined(separator: " "))
        }
    }

    private var names: Names?

    func concerns(_ module: Module) -> Bool { Names(module) != nil }

    func prepared(for changes: [PendingChange], _ scope: WriteScope) -> any RecordRule {
        FullNameRule(names: changes.first.flatMap { Names($0.after.module) })
    }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws { names?.apply(to: &change.after) }

    /// Also used by merge, which sets names without passing the rules.
    static func apply(to record: inout Record) { Names(record.module)?.apply(to: &record) }
}
