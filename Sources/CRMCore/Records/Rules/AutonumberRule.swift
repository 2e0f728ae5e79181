import Metadata
import SQLStore
import Wire

/// Gives new records their number. Numbers rise and are never used again; a refused record may leave a gap.
struct AutonumberRule: RecordRule {
    func concerns(_ module: Module) -> Bool { module.fields.contains { $0.type.dataType == "autonumber" } }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        guard change.kind == .insert else { return }
        for field in change.after.module.fields where field.type.dataType == "autonumber" {
            let settings = field.body["auto_number"] ?? [:]
            let first = settings["start_number"]?.looseInt64 ?? 1
            let number = try Counters.take(1, of: Self.counter(field), startingAt: first, scope.tx)
            change.after[field] = .text("\(settings["prefix"]?.string ?? "")\(number)\(settings["suffix"]?.string ?? "")")
        }
    }

    static func counter(_ field: Field) -> String { "autonumber_\(field.id.raw)" }
}
