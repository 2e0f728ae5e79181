import Metadata
import SQLStore
import Wire

/// What the database knows that a plan needs: how much hangs on each child, and where chains upward lead.
struct MergeSurvey {
    let request: MergeRequest
    let scope: WriteScope

    /// One term for each lookup that may point at a child; SQLite joins at most 500 in one statement.
    private static let termsPerStatement = 400

    /// What hangs on the children, and which followers have something to do.
    struct Found {
        let moves: [MergePlan.Move]
        let followers: [Int]
    }

    /// For every lookup that may point at a child, how many rows point at each. Counting a lookup stops at what all children may have
    /// together in a synchronous merge: beyond it one of them has too many, whichever rows were met first. The questions of the
    /// followers go along in the same statement.
    func found() throws -> Found {
        var always: [Int] = []
        var questions: [(Int, SQL)] = []
        for (position, follower) in MergeFollowers.all.enumerated() {
            switch follower.interest(in: request, scope) {
            case .never: break
            case .always: always.append(position)
            case .whenever(let condition): questions.append((position, condition))
            }
        }
        let bound = (MergePlan.synchronousLimit + 1) * request.children.count
        let (moves, met) = try Self.ask(request.succession, of: request.module.id, upTo: bound, questions, scope)
        return Found(moves: moves, followers: (always + met).sorted())
    }

    /// The lookups that hold a leaver, and how many rows each, counted up to a bound.
    static func moves(from succession: Succession, of module: ModuleID, upTo bound: Int, _ scope: WriteScope) throws -> [MergePlan.Move] {
        try ask(succession, of: module, upTo: bound, [], scope).moves
    }

    /// The lookups that hold a leaver, and the numbers of the questions whose answer is yes.
    private static func ask(
        _ succession: Succession, of module: ModuleID, upTo bound: Int, _ questions: [(Int, SQL)], _ scope: WriteScope
    ) throws -> (moves: [MergePlan.Move], met: [Int]) {
        let inbound = scope.catalog.inbound(to: module)
        let children = succession.leavers.map(\.id)
        let most = SQLValue.integer(Int64(bound))
        var terms = inbound.enumerated().compactMap { index, entry -> SQL? in
            guard let table = entry.module.table, let column = entry.field.columns.first else { return nil }
            let held = SuccessionRows(entry.field, succession).held(by: succession.leavers, alias: "t")
            return
                "SELECT \(.literal(Int64(index))), q.c, count(*) FROM (SELECT \(column, of: "t") AS c FROM \(table) t WHERE \(held) LIMIT \(most)) q GROUP BY q.c"
        }
        // A question has no record: what it is about stands in the place of the lookup, below zero.
        terms += questions.map { number, condition in "SELECT \(.literal(Int64(-1 - number))), 0, 1 WHERE \(condition)" }
        var found: [Int: [Int]] = [:]
        var met: [Int] = []
        for start in stride(from: 0, to: terms.count, by: termsPerStatement) {
            let some = Array(terms[start..<min(start + termsPerStatement, terms.count)])
            try scope.tx.forEach(.joined(some, by: " UNION ALL ")) { row in
                let index = Int(row.integer(0) ?? 0)
                if index < 0 { return met.append(-1 - index) }
                guard let child = row.integer(1).flatMap({ id in children.firstIndex { $0.raw == id } }) else { return }
                found[index, default: Array(repeating: 0, count: children.count)][child] = Int(row.integer(2) ?? 0)
            }
        }
        let moves = found.sorted { $0.key < $1.key }.map {
            MergePlan.Move(module: inbound[$0.key].module.id, field: inbound[$0.key].field.id, counts: $0.value)
        }
        return (moves, met)
    }

    /// The lookups into the module itself along which the survivor would become its own ancestor.
    func loops() throws -> Set<FieldID> {
        guard let table = request.module.table else { return [] }
        let survivor = MergePlan.survivor(of: request, scope.catalog)
        let participants = Set(request.participants.map(\.id.raw))
        var found: Set<FieldID> = []
        for field in request.module.fields where field.target == request.module.id {
            guard let column = field.columns.first, let start = survivor[field].integer.map(SQLValue.integer) else { continue }
            // UNION drops repeats, so a loop that is there already ends too.
            let chain: SQL = """
                WITH RECURSIVE chain (id) AS (SELECT CAST(\(start) AS \(.type(.integer))) UNION SELECT t.\(column) FROM \(table) t JOIN chain c ON t.id = c.id \
                WHERE t.\(column) IS NOT NULL) SELECT id FROM chain
                """
            if try scope.tx.rows(chain, { $0.integer(0) ?? 0 }).contains(where: participants.contains) { found.insert(field.id) }
        }
        return found
    }

    /// What the request takes from children must fit the master.
    func refuseValues() throws {
        try refuseFilteredValues()
        try refuseTakenValues()
    }

    /// Rule 26: a value taken from a child that the filter of its lookup refuses.
    private func refuseFilteredValues() throws {
        let taken = request.module.fields.compactMap { field -> (Field, Record)? in
            guard case .child(let index) = request.sources[field.id] else { return nil }
            return (field, request.children[index])
        }
        let values = LookupFilters(request.module).values(in: taken)
        guard !values.isEmpty else { return }
        let refused = try LookupFilters.refused(values, scope)
        guard let wrong = values.first(where: { refused[$0.field.id]?.contains($0.id) ?? false }) else { return }
        throw MergeRefusal.wrapped(
            Rejection(
                .filterCriteriaNotSatisfied, .apiName(wrong.field.apiName), .jsonPath(request.paths[wrong.field.id] ?? JSONPath())))
    }

    /// Rule 30: a unique value taken from a child that a record outside the merge holds too.
    private func refuseTakenValues() throws {
        let participants = Set(request.participants.map(\.id))
        for field in request.module.fields where field.unique {
            guard case .child(let index) = request.sources[field.id] else { continue }
            let value = request.children[index][field]
            guard !value.isNull else { continue }
            let others =
                try UniqueValues.compared(field, request.module, scope.catalog, for: scope.access.user)
                .holders(of: [value], scope.tx)[UniqueValues.key(value)] ?? []
            let outside = others.filter { !participants.contains($0.id) }
            if let holder = outside.first {
                let path = request.paths[field.id] ?? JSONPath()
                throw MergeRefusal.wrapped(holder.clash(field, request.module, more: outside.count > 1, at: path, scope.catalog))
            }
        }
    }
}
