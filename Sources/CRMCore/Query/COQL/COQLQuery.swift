import Metadata
import Wire

/// A COQL query that is understood: what to ask, and whose records it reads. Nothing has been run.
package struct COQLQuery: Sendable {
    package let query: Query
    /// Every module whose fields or records it reads, the one after FROM first.
    package let modules: [Module]
    /// The fields of the select list by the text they were written as.
    package let fields: [(name: String, field: Field, module: Module)]

    /// Reads a query on behalf of a user. `catalog` gives the names their meaning, `dates` those of custom views.
    package init(_ text: String, _ catalog: Catalog, user: UserID, dates: MovingDates) throws(Rejection) {
        let statement = try COQLParser.parse(text)
        var compiler = try COQLCompiler(statement.source, catalog, user, dates)
        query = try compiler.query(statement)
        modules = compiler.modules
        fields = compiler.fields
    }
}
