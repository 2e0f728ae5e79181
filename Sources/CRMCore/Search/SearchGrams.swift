import Metadata
import SQLStore
import Wire

/// What the search index can say about a condition: a test that every record which meets the condition passes.
struct SearchGrams {
    let module: Module

    /// `nil` when the index says nothing, or another index says more.
    func required(by condition: Condition) -> GramTest? {
        guard module.isSearched else { return nil }
        return test(condition)
    }

    private func test(_ condition: Condition) -> GramTest? {
        switch condition {
        case .all(let parts): return joined(parts.compactMap(test), GramTest.all)
        case .any(let parts):
            let tests = parts.map(test)
            guard !tests.isEmpty, !tests.contains(nil) else { return nil }
            return joined(tests.compactMap(\.self), GramTest.any)
        case .test(let name, let comparator, let operands):
            guard [.contains, .startsWith, .digits].contains(comparator), let field = module.field(name), isHeld(field),
                !(comparator == .startsWith && hasOwnIndex(field)), let part = operands.first?.string
            else { return nil }
            return Grams.test(containing: part)
        default: return nil
        }
    }

    /// Equal tests, as a word over all fields makes them, are one.
    private func joined(_ tests: [GramTest], _ join: ([GramTest]) -> GramTest) -> GramTest? {
        var distinct: [GramTest] = []
        for test in tests where !distinct.contains(test) { distinct.append(test) }
        return distinct.count > 1 ? join(distinct) : distinct.first
    }

    private func isHeld(_ field: Field) -> Bool { module.searchedFields.contains { $0 === field } }
    private func hasOwnIndex(_ field: Field) -> Bool { field.unique || field === module.displayField || field.type.dataType == "email" }
}
