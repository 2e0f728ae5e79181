import Metadata
import SQLStore
import Wire

/// What every record carries: owner, author, times, layout, state. What a module has of it is looked up once for a batch.
struct Stamp {
    /// Where a field's first column stands in a row, with what belongs there.
    private typealias Mark = (slot: Int, value: SQLValue)

    /// Of new records: given whatever the caller said, and given where the caller said nothing.
    private let fresh: [Mark]
    private let missing: [Mark]
    private let always: [Mark]
    /// Yes-or-no fields that are encrypted.
    private let sealed: [Field]

    init(_ module: Module, _ scope: WriteScope) {
        let user = SQLValue.integer(scope.access.user.raw)
        let now = SQLValue.integer(scope.now.milliseconds)
        func marks(_ values: [(String, SQLValue)]) -> [Mark] {
            values.compactMap { name, value in module.field(name).flatMap { module.slot(of: $0) }.map { ($0, value) } }
        }
        fresh = marks([("Created_By", user), ("Created_Time", now), ("Record_Status__s", .text("Available"))])
        always = marks([("Modified_By", user), ("Modified_Time", now), ("Last_Activity_Time", now)])
        // A yes-or-no field without an answer says no, as upstream shows it.
        let answers = module.fields.filter { $0.type.dataType == "boolean" }
        sealed = answers.filter(\.isEncrypted)
        let flags = answers.filter { !$0.isEncrypted }.compactMap { module.slot(of: $0) }
        let layout = SQLValue(scope.catalog.standardLayout(of: module.id)?.raw)
        missing = marks([("Owner", user), ("Layout", layout)]) + flags.map { ($0, .integer(0)) }
    }

    func mark(_ change: inout PendingChange) {
        if change.kind == .insert {
            for (slot, value) in fresh { change.after.values[slot] = value }
            for field in sealed where change.after[field].isNull { change.after[field] = .integer(0) }
            for (slot, value) in missing where change.after.values[slot].isNull { change.after.values[slot] = value }
        }
        for (slot, value) in always { change.after.values[slot] = value }
    }
}

extension Catalog {
    func standardLayout(of module: ModuleID) -> RecordID? {
        documents(.layout).first { $0.parent?.raw == module.raw }?.id
    }
}
