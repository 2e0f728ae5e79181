import Metadata
import SQLStore
import Wire

/// The whole merge, decided before anything is written: comparable, printable, previewable.
package struct MergePlan: Sendable, Equatable {
    /// A list of rows that move from the children to the master.
    package struct Move: Sendable, Equatable {
        package let module: ModuleID
        package let field: FieldID
        /// How many rows each child has there, in the children's order; counted up to one more than the limit of a synchronous merge.
        package let counts: [Int]
        package var total: Int { counts.reduce(0, +) }
    }

    package let request: MergeRequest
    /// The surviving record as it will be.
    package let survivor: Record
    package let moves: [Move]
    /// Which of `MergeFollowers.all` have something to do.
    package let followers: [Int]
    package let warnings: [String]
    /// Whether all rows of all records count together, as they do in a merge of a group.
    package let countsTogether: Bool

    /// A child with more rows than this in one related list makes the merge a job (`merge.md` §2).
    package static let synchronousLimit = 1000

    /// `survivor` is what `survivor(of:)` made of the request, before loops are cut.
    static func make(
        _ request: MergeRequest, _ survivor: Record, _ found: MergeSurvey.Found, countsTogether: Bool = false, at now: Instant,
        by user: UserID, _ catalog: Catalog
    ) -> MergePlan {
        var survivor = survivor
        var warnings: [String] = []
        for field in request.module.fields where found.loops.contains(field.id) && !survivor[field].isNull {
            survivor[field] = .null
            warnings.append("\(field.apiName) would have led back to the record itself and was cleared")
        }
        FormulaRule.apply(to: &survivor, catalog, at: now)
        survivor["Modified_Time"] = .integer(now.milliseconds)
        survivor["Modified_By"] = .integer(user.raw)
        survivor.values[request.module.mergeSlot] = .null
        return MergePlan(
            request: request, survivor: survivor, moves: found.moves.filter { $0.total > 0 }, followers: found.followers,
            warnings: warnings,
            countsTogether: countsTogether)
    }

    /// The master with the values named, before loops are cut.
    static func survivor(of request: MergeRequest, _ catalog: Catalog) -> Record {
        let module = request.module
        var survivor = request.master
        for field in module.fields {
            guard case .child(let index) = request.sources[field.id] else { continue }
            survivor.set(field, to: Array(request.children[index].columns(of: field)))
        }
        for field in module.fields { if let value = request.values[field.id] { survivor.set(field, to: value) } }
        // A lookup at a child is one at the master; a record never looks up itself.
        let ids = Set(request.participants.map(\.id.raw))
        for field in module.fields where field.isRecordLookup && (field.target == module.id || field.isAnyLookup) {
            guard let id = survivor[field].integer, ids.contains(id) else { continue }
            survivor.set(field, to: field.columns.map { _ in .null })
        }
        let activity = request.participants.compactMap { $0["Last_Activity_Time"].integer }.max()
        if let activity { survivor["Last_Activity_Time"] = .integer(activity) }
        if module.apiName == "Deals" { followPipeline(&survivor, request, catalog) }
        FullNameRule.apply(to: &survivor)
        return survivor
    }

    /// A pipeline taken from a child brings its stage; probability and revenue follow the stage.
    private static func followPipeline(_ deal: inout Record, _ request: MergeRequest, _ catalog: Catalog) {
        if let pipeline = request.module.field("Pipeline"), case .child(let index) = request.sources[pipeline.id] {
            deal["Stage"] = request.children[index]["Stage"]
        }
        let pipelines = Pipelines(catalog)
        if deal["Stage"] != request.master["Stage"] { pipelines.setProbability(of: &deal) }
        if deal["Stage"] != request.master["Stage"] || deal["Amount"] != request.master["Amount"] {
            pipelines.setExpectedRevenue(of: &deal)
        }
    }

    /// Whether the contract makes this merge a job. Rows of one module count together, whichever lookup they use. Of a group,
    /// which may be a hundred records, all rows do.
    package var mustBeScheduled: Bool {
        if countsTogether { return moves.reduce(0) { $0 + $1.total } > synchronousLimit }
        let lists = Dictionary(grouping: moves, by: \.module).values
        return request.children.indices.contains { child in
            lists.contains { list in list.reduce(0) { $0 + $1.counts[child] } > synchronousLimit }
        }
    }
    private var synchronousLimit: Int { Self.synchronousLimit }
}
