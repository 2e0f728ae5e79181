import Metadata
import Wire

/// Lines of products add up, and so do the quotes, orders and invoices that hold them.
struct InventoryRule: RecordRule {
    func concerns(_ module: Module) -> Bool { module.holdsLines || module.addsLinesUp }

    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        if change.after.module.holdsLines {
            try Self.check(change, "Line_Tax")
            LineMaths.complete(&change.after)
        } else {
            try Self.check(change, "$line_tax")
            LineMaths.complete(
                &change.after, lines: change.rows.first { $0.rows.module.holdsLines }?.result, discount: change.discountPercentage)
        }
    }

    /// Each tax has a name and a percentage.
    private static func check(_ change: PendingChange, _ name: String) throws(Rejection) {
        guard change.gave(name), let text = change.after[name].text, let taxes = (try? JSONValue.parse(text))?.array else { return }
        let path = change.path.appending(name)
        for (index, tax) in taxes.enumerated() {
            let place = path.appending(index)
            guard case .object = tax else { throw .wrongType("jsonobject", at: place) }
            guard let title = tax["name"], !title.isNull else { throw .missing("name", at: place) }
            guard title.string != nil else { throw .wrongType("text", at: place.appending("name")) }
            guard let given = tax["percentage"], !given.isNull else { throw .missing("percentage", at: place) }
            guard let percentage = LineMaths.percentage(of: tax) else { throw .wrongType("double", at: place.appending("percentage")) }
            guard (0...100).contains(percentage) else { throw .invalid(at: place.appending("percentage")) }
        }
    }
}
