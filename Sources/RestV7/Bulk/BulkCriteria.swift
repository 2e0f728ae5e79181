import CRMCore
import HTTPShell
import Metadata
import Wire

/// Looks through the criteria of a bulk read before they are kept, so that what is wrong with them is told at once and in the
/// words of this API. Contract: bulk-read, 249.
struct BulkCriteria {
    private static let comparators = [
        "equal", "not_equal", "in", "not_in", "less_than", "less_equal", "greater_than", "greater_equal", "contains", "not_contains",
        "starts_with", "ends_with", "between", "not_between",
    ]

    let module: Module
    let catalog: Catalog

    func check(_ criteria: JSONCursor) throws(Rejection) { try check(criteria, 0) }

    /// The criteria with the field behind a system key in its place, as the filter language knows it.
    func kept(_ criteria: JSONValue) -> JSONValue {
        var criteria = criteria
        if let group = criteria["group"]?.array { criteria["group"] = .array(group.map(kept)) }
        if criteria["field"]?["api_name"] == "$converted" { criteria["field"] = ["api_name": "Converted__s"] }
        return criteria
    }

    private func check(_ criteria: JSONCursor, _ level: Int) throws(Rejection) {
        _ = try criteria.object()
        guard level < CriteriaLimits.depth else { throw Rejection(.invalidCriteria, .jsonPath(criteria.path)) }
        if let group = criteria.optional("group"), !group.value.isNull {
            let word = try criteria.required("group_operator")
            guard ["and", "or"].contains(try word.string().lowercased()) else {
                throw Rejection(.groupOperatorNotSupported, .jsonPath(word.path), .supportedValues(["and", "or"]))
            }
            for part in try group.elements(1...25) { try check(part, level + 1) }
            return
        }
        let name = try criteria.required("field").required("api_name")
        guard let column = try? ExportQuery.column(try name.string(), of: module, catalog), column.isField else {
            throw Rejection(.fieldInCriteriaNotAvailable, .apiName(try name.string()), .jsonPath(name.path))
        }
        let comparator = try criteria.required("comparator")
        guard Self.comparators.contains(try comparator.string()) else {
            throw Rejection(
                .fieldComparatorInCriteriaNotSupported, .apiName(try name.string()), .jsonPath(comparator.path),
                .supportedValues(Self.comparators))
        }
        let value = try criteria.required("value")
        for one in value.value.array ?? [value.value] where (one.string?.unicodeScalars.count ?? 0) > CriteriaLimits.text {
            throw .tooLong(CriteriaLimits.text, at: value.path)
        }
    }
}
