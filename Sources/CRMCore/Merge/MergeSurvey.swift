import Metadata
import SQLStore
import Wire

/// What the database knows that a plan needs: how much hangs on each child, which followers have work, and where chains upward lead.
struct MergeSurvey {
    let request: MergeRequest
    let scope: WriteScope

    /// One term for each lookup that may point at a child; SQLite joins at most 500 in one statement.
    private static let termsPerStatement = 400

    struct Found {
        var moves: [MergePlan.Move] = []
        /// Which of `MergeFollowers.all` have something to do.
        var followers: [Int] = []
        /// The lookups into the module itself along which the survivor would become its own ancestor.
        var loops: Set<FieldID> = []
    }

    /// For every lookup that may point at a child, how many rows point at each. Counting a lookup stops at what all children may have
    /// together in a synchronous merge: beyond it one of them has too many, whichever rows were met first. What else has to be known
    /// is asked along with it, in the same statement. `survivor` is the record as it will be before loops are cut.
    func found(_ survivor: Record) throws -> Found {
        var found = Found()
        var questions = Questions()
        for (position, follower) in MergeFollowers.all.enumerated() {
            switch follower.interest(in: request, scope) {
            case .never: break
            case .always: found.followers.append(position)
            case .rows(let table, let columns): questions.followers += columns.map { (position, table, $0) }
            }
        }
        questions.chains = request.module.fields.filter { $0.target == request.module.id && !$0.columns.isEmpty }
        // A record without an id leads nowhere.
        let starts = questions.chains.map { survivor[$0].integer ?? 0 }
        let bound = (MergePlan.synchronousLimit + 1) * request.children.count
        let survey = Survey(request.succession, of: request.module, upTo: bound, questions)
        try survey.ask(starts, &found, scope)
        found.followers = Set(found.followers).sorted()
        return found
    }

    /// The lookups along which rows move, and how many for each leaver, counted up to a bound.
    static func moves(from succession: Succession, of module: Module, upTo bound: Int, _ scope: WriteScope) throws -> [MergePlan.Move] {
        var found = Found()
        try Survey(succession, of: module, upTo: bound, Questions()).ask([], &found, scope)
        return found.moves
    }

    /// What is asked besides counts.
    private struct Questions {
        var followers: [(position: Int, table: TableName, column: ColumnName)] = []
        var chains: [Field] = []

        /// Tells one set of questions from another.
        var sign: Int64 { followers.reduce(Int64(chains.count) << 48) { $0 | 1 << Int64($1.position) } }
    }

    /// The one long statement, or as many as the engine needs.
    private struct Survey {
        /// What a row of the answer is about: lookups count up from 0, followers and chains down from these.
        private static let followers = -1
        private static let chains = -1000

        private let succession: Succession
        private let module: Module
        private let bound: Int
        private let questions: Questions

        init(_ succession: Succession, of module: Module, upTo bound: Int, _ questions: Questions) {
            self.succession = succession
            self.module = module
            self.bound = bound
            self.questions = questions
        }

        func ask(_ starts: [Int64], _ found: inout Found, _ scope: WriteScope) throws {
            let inbound = scope.catalog.inbound(to: module.id)
            let total = inbound.count + questions.followers.count + questions.chains.count
            var names = "survey"
            var counts: [Int: [Int]] = [:]
            let children = succession.leavers.map(\.id.raw)
            for start in stride(from: 0, to: total, by: termsPerStatement) {
                if start > 0 { names = "survey \(start)" }
                let statement = SuccessionStatements(succession, scope).rendered(names, subject: questions.sign, values: starts) {
                    succession, _, starts in
                    let terms = terms(inbound, succession, starts)
                    return [.joined(Array(terms[start..<min(start + termsPerStatement, terms.count)]), by: " UNION ALL ")]
                }
                try scope.tx.forEach(statement[0]) { row in
                    let about = Int(row.integer(0) ?? 0)
                    if about <= Self.chains {
                        found.loops.insert(questions.chains[Self.chains - about].id)
                    } else if about < 0 {
                        found.followers.append(Self.followers - about)
                    } else if let child = row.integer(1).flatMap(children.firstIndex) {
                        counts[about, default: Array(repeating: 0, count: children.count)][child] = Int(row.integer(2) ?? 0)
                    }
                }
            }
            found.moves = counts.sorted { $0.key < $1.key }.map {
                MergePlan.Move(module: inbound[$0.key].module.id, field: inbound[$0.key].field.id, counts: $0.value)
            }
        }

        private func terms(_ inbound: [(module: Module, field: Field)], _ succession: Succession, _ starts: [Int64]) -> [SQL] {
            // Written out, so that PostgreSQL plans the statement once for all.
            let most: SQL = .literal(Int64(bound))
            let participants: SQL = .joined(succession.ids.map { "\(SQLValue.integer($0))" }, by: ", ")
            let counts = inbound.enumerated().map { index, entry -> SQL in
                guard let table = entry.module.table, let column = entry.field.columns.first else { return "SELECT 0, 0, 0 WHERE 1 = 0" }
                let moving = SuccessionRows(entry.field, succession).moving(of: entry.module, alias: "t")
                return
                    "SELECT \(.literal(Int64(index))), q.c, count(*) FROM (SELECT \(column, of: "t") AS c FROM \(table) t WHERE \(moving) LIMIT \(most)) q GROUP BY q.c"
            }
            let followers = questions.followers.map { position, table, column -> SQL in
                """
                SELECT \(.literal(Int64(Self.followers - position))), 0, 1 \
                WHERE EXISTS (SELECT 1 FROM \(table) f WHERE \(column, of: "f") IN (\(participants)))
                """
            }
            let chains = zip(questions.chains, starts).enumerated().map { index, chain -> SQL in
                let column = chain.0.columns[0]
                // UNION drops repeats, so a loop that is there already ends too.
                return """
                    SELECT \(.literal(Int64(Self.chains - index))), 0, 1 WHERE EXISTS (WITH RECURSIVE chain (id) AS (\
                    SELECT CAST(\(SQLValue.integer(chain.1)) AS \(.type(.integer))) UNION SELECT t.\(column) FROM \(module.table ?? "sys_change") t JOIN chain c ON t.id = c.id \
                    WHERE t.\(column) IS NOT NULL) SELECT 1 FROM chain WHERE chain.id IN (\(participants)))
                    """
            }
            return counts + followers + chains
        }
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
