import CRMCore
import HTTPShell
import Metadata
import Wire

/// One entry of the X-EXTERNAL header: where a field's values may stand instead of ids. Contract: records-using-external-id, section notes.
struct ExternalReference: Sendable {
    /// The module whose records the field identifies, and the field.
    let module: Module
    let field: Field
    /// The way from a record of the request to the lookup that holds the value: nothing for the record itself, a lookup, or a
    /// subform and a lookup in it.
    let way: [String]
    /// Whether the header named the module of a lookup that may point into several.
    let namesModule: Bool

    /// `Module.Field`, `Module.Lookup.Field`, `Module.Subform.Lookup.Field`, `Module.Lookup->Target.Field`; several parted by commas.
    static func read(_ header: String, _ catalog: Catalog) throws(Rejection) -> [ExternalReference] {
        var found: [ExternalReference] = []
        for part in header.split(separator: ",") {
            guard let reference = ExternalReference(String(part.filter { $0 != " " }), catalog) else {
                throw Rejection(.invalidData, message: "the external reference given seems to be invalid", .other("header", "X-EXTERNAL"))
            }
            found.append(reference)
        }
        return found
    }

    private init?(_ text: String, _ catalog: Catalog) {
        var steps: [(name: String, target: String?)] = []
        for step in text.split(separator: ".") {
            let sides = step.split(separator: ">", maxSplits: 1).map(String.init)
            steps.append(sides.count == 2 && sides[0].last == "-" ? (String(sides[0].dropLast()), sides[1]) : (String(step), nil))
        }
        guard (2...4).contains(steps.count), var module = catalog.module(steps[0].name), let last = steps.last else { return nil }
        var way: [String] = []
        var named = false
        for step in steps.dropFirst().dropLast() {
            guard let field = module.field(step.name) else { return nil }
            way.append(field.apiName)
            if let target = step.target.flatMap({ catalog.module($0) }), field.isAnyLookup {
                module = target
                named = true
            } else if let rows = RowField(field, catalog) {
                module = rows.module
            } else if let target = field.target.flatMap({ catalog.module(id: $0) }) {
                module = target
            } else {
                return nil
            }
        }
        guard let field = module.field(last.name), field.isExternal, module.table != nil else { return nil }
        self.module = module
        self.field = field
        self.way = way
        namesModule = named
    }
}
