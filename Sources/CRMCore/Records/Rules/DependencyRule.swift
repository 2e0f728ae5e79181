import Metadata
import SQLStore
import Wire

/// Options that do not go together are refused, by the record's layout (`map-dependency.md`; records: MAPPING_MISMATCH).
struct DependencyRule: RecordRule {
    func concerns(_ module: Module) -> Bool { module.fields.contains { $0.type.comparison == .choice || $0.type.comparison == .choices } }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        guard !scope.catalog.documents(.mapDependency).isEmpty, let layout = change.after["Layout"].integer else { return }
        let module = change.after.module
        for dependency in MapDependency.of(layout: RecordID(raw: layout), module, scope.catalog) {
            let (parent, child) = (dependency.parent, dependency.child)
            guard change.given.contains(parent.id) || change.given.contains(child.id) else { continue }
            for above in chosen(parent, change.after) {
                for below in chosen(child, change.after) where !dependency.permits(above, below) {
                    throw Rejection(
                        .mappingMismatch, .dependee(parent.apiName, change.path.appending(parent.apiName)), .apiName(child.apiName),
                        .jsonPath(change.path.appending(child.apiName)))
                }
            }
        }
    }

    private func chosen(_ field: Field, _ record: Record) -> [String] {
        guard let text = record[field].text else { return [] }
        guard field.type.comparison == .choices else { return [text] }
        return ((try? JSONValue.parse(Array(text.utf8)))?.array ?? []).compactMap(\.string)
    }
}
