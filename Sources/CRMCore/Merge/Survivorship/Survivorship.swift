import Metadata
import SQLStore
import Wire

/// Applies a policy to records that are one: picks the master and the source of every field. Pure.
package struct Survivorship {
    private let policy: SurvivorshipPolicy
    private let module: Module
    /// The master first, then the others in the order given.
    private let records: [Record]
    /// When each field of each record was last written, as far as the change log knows.
    private let written: [RecordID: [FieldID: Int64]]
    private let access: AccessPolicy

    package init(
        _ policy: SurvivorshipPolicy, master: Record, others: [Record], written: [RecordID: [FieldID: Int64]] = [:],
        access: AccessPolicy = .system("a policy alone decides")
    ) {
        self.policy = policy
        module = master.module
        records = [master] + others
        self.written = written
        self.access = access
    }

    /// The record the rule picks. `related` are the counts of rows that hang on each.
    package static func master(of records: [Record], _ rule: SurvivorshipPolicy.MasterRule, related: [RecordID: Int]) -> Record? {
        func rank(_ record: Record) -> Int64 {
            switch rule {
            case .mostRecentActivity: record["Last_Activity_Time"].integer ?? record["Modified_Time"].integer ?? 0
            case .oldest: -(record["Created_Time"].integer ?? record.id.raw)
            case .newest: record["Created_Time"].integer ?? record.id.raw
            case .mostComplete: Int64(record.values.count { !$0.isNull })
            case .mostRelated: Int64(related[record.id] ?? 0)
            }
        }
        return records.max { a, b in rank(a) == rank(b) ? a.id > b.id : rank(a) < rank(b) }
    }

    package func request(_ catalog: Catalog) -> MergeRequest {
        var sources: [FieldID: MergeRequest.Source] = [:]
        var values: [FieldID: [SQLValue]] = [:]
        var grouped: Set<FieldID> = []
        for group in policy.groups {
            let fields = group.fields.compactMap { module.field($0) }.filter(isNameable)
            grouped.formUnion(fields.map(\.id))
            guard let giver = giver(of: fields, group.strategy), giver > 0 else { continue }
            for field in fields { sources[field.id] = .child(giver - 1) }
        }
        for field in module.fields where !grouped.contains(field.id) && isNameable(field) {
            let open = SurvivorshipPolicy.isOpen(field, of: module)
            guard let strategy = policy.fields[field.apiName] ?? (open ? policy.standard : nil) else { continue }
            if strategy == .union, let union = union(field) {
                values[field.id] = [union]
            } else if let giver = giver(of: [field], strategy), giver > 0 {
                sources[field.id] = .child(giver - 1)
            }
        }
        return MergeRequest(
            master: records[0], children: Array(records.dropFirst()), sources: sources, values: values,
            tagSource: policy.fields["Tag"] == .master ? .master : nil)
    }

    /// What the caller may not write stays as the master has it.
    private func isNameable(_ field: Field) -> Bool {
        SurvivorshipPolicy.isNameable(field, of: module) && access.right(on: field) == .readWrite
    }

    /// The index of the record whose values the fields take; `nil` when none has any. A record counts when it has a value in
    /// any of the fields, and is compared by the first that it has.
    private func giver(of fields: [Field], _ strategy: SurvivorshipPolicy.Strategy) -> Int? {
        let holders = records.indices.filter { index in fields.contains { !isEmpty(records[index][$0]) } }
        guard let first = holders.first else { return nil }
        func value(_ index: Int) -> SQLValue { fields.lazy.map { records[index][$0] }.first { !isEmpty($0) } ?? .null }
        /// The first holder with the highest rank.
        func best(_ rank: (Int) -> Double) -> Int { holders.reduce(first) { rank($1) > rank($0) ? $1 : $0 } }
        switch strategy {
        case .master: return 0
        case .firstNonEmpty, .union: return first
        case .longest: return best { index in Double(fields.reduce(0) { $0 + (records[index][$1].text?.count ?? 0) }) }
        case .mostRecent: return best { index in Double(fields.map { lastWritten($0, index) }.max() ?? 0) }
        case .mostFrequent: return best { index in Double(holders.count { value($0) == value(index) }) }
        case .trustedSource:
            return best { index in
                let source = records[index]["Lead_Source"].text ?? ""
                return -Double(policy.trustedSources.firstIndex(of: source) ?? policy.trustedSources.count)
            }
        case .maximum: return best { comparable(value($0)) }
        case .minimum: return best { -comparable(value($0)) }
        }
    }

    private func isEmpty(_ value: SQLValue) -> Bool { value.isNull || value == .text("") }

    private func lastWritten(_ field: Field, _ index: Int) -> Int64 {
        let record = records[index]
        return written[record.id]?[field.id] ?? record["Modified_Time"].integer ?? 0
    }

    /// Numbers, times and dates in one order.
    private func comparable(_ value: SQLValue) -> Double {
        if let number = value.real { return number }
        return value.text.flatMap(CalendarDate.init).map { Double($0.daysSinceEpoch) } ?? 0
    }

    /// All chosen values, the master's first.
    private func union(_ field: Field) -> SQLValue? {
        guard field.type.comparison == .choices else { return nil }
        var chosen: [JSONValue] = []
        for record in records {
            for value in record[field].text.flatMap({ try? JSONValue.parse($0) })?.array ?? [] where !chosen.contains(value) {
                chosen.append(value)
            }
        }
        return chosen.isEmpty ? .null : .text(JSONValue.array(chosen).text)
    }
}
