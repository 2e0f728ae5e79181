import Metadata
import SQLStore
import Wire

/// Where a record stands in its process, and what leads on from there.
package struct BlueprintState: Sendable {
    package let blueprint: Blueprint
    package let field: Field
    /// The option the record holds.
    package let value: String
    let place: BlueprintRecords.Place
    package var since: Instant { place.since }
    package var transitions: [Transition] { blueprint.transitions(from: value) }

    package static let notInProcess = Rejection(.recordNotInProcess, message: "record not in process", .resourcePathIndex(1))

    /// `nil` when the record is in no process that is in force.
    static func of(_ record: Record, _ catalog: Catalog, _ tx: Transaction) throws -> BlueprintState? {
        guard let place = try BlueprintRecords.places(of: [record.id], tx)[record.id],
            let blueprint = Blueprint.all(of: record.module.id, catalog).first(where: { $0.id == place.blueprint && $0.isActive }),
            let field = record.module.field(blueprint.field), blueprint.leadsOn(record, field)
        else { return nil }
        return BlueprintState(blueprint: blueprint, field: field, value: Blueprint.state(of: record, field), place: place)
    }

    /// A record that is locked, by a person, a rule or a merge (233 and 234, RECORD_LOCKED).
    static func refuse(_ record: Record, _ catalog: Catalog, by user: UserID) throws(Rejection) {
        let locked = record["Locked__s"].integer == 1 && LockingConfiguration.of(record.module, catalog)?.binds(catalog.user(user)) == true
        guard record.heldByMerge != nil || locked else { return }
        throw Rejection(
            .recordLocked, message: "You cannot perform this operation as the record is locked.", .resourcePathIndex(1))
    }

    /// How far a transition is, in hundredths of what it must have.
    package func percent(of transition: Transition, _ module: Module) -> Double {
        guard place.transition == transition.id else { return 0 }
        let demands = transition.demands(place.saved, module)
        return demands.isEmpty ? 0 : Double(demands.count(where: \.isMet)) / Double(demands.count) * 100
    }

    /// What of a check list is ticked.
    package func ticked(_ list: Transition.CheckList, of transition: Transition) -> Set<String> {
        place.transition == transition.id ? place.saved.ticked[list.title] ?? [] : []
    }
}

/// A record's process as it is shown to a caller.
package struct BlueprintView: Sendable {
    package let state: BlueprintState
    /// Those the caller may take, and those that happen by themselves.
    package let transitions: [Transition]
    /// The transitions whose criteria the record meets, among those shown and those that follow them.
    package let matching: Set<RecordID>
    /// What the record holds in the fields of the transitions.
    package let values: JSONValue
}

extension RecordQueries {
    /// Contract: blueprint, 233.
    package func blueprint(of id: RecordID, in module: Module) async throws -> BlueprintView {
        try access.require(.view, module)
        let planner = Planner(catalog, access)
        let whole = catalog.whole
        let (access, user) = (access, access.user)
        let now = Instant.now()
        let found = try await read { tx -> (BlueprintState, [Transition], Set<RecordID>) in
            let rows = try planner.rows([id], of: module, for: .view, locked: false, tx)
            guard let record = rows[id], let table = record.module.table else { throw rows.refusal(of: id, else: .invalidPathID(1)) }
            try BlueprintState.refuse(record, whole, by: access.user)
            guard let state = try BlueprintState.of(record, whole, tx) else { throw BlueprintState.notInProcess }
            let shown = state.transitions.filter { $0.mayBeTaken(by: user, on: record, whole) }
            let asked = shown + shown.flatMap { state.blueprint.transitions(from: $0.to) }
            let tests = asked.map { transition -> SQL in
                guard !transition.criteria.isNull else { return "1" }
                let test = KeptCriteria.test(transition.criteria, of: record.module, whole, for: user, at: now)
                return "CASE WHEN \(test) THEN 1 ELSE 0 END"
            }
            var matching: Set<RecordID> = []
            if !tests.isEmpty {
                try tx.forEach("SELECT \(.joined(tests, by: ", ")) FROM \(table) t WHERE t.id = \(id)") { row in
                    for (index, transition) in asked.enumerated() where row.integer(index) == 1 { matching.insert(transition.id) }
                }
            }
            return (state, shown, matching)
        }
        let named = Set(found.1.flatMap { $0.fields.map(\.field) })
        let fields = module.fields.filter { named.contains($0.id) }
        let bytes = fields.isEmpty ? nil : try await single(Query(module, fields: fields), id)
        let values = try bytes.map { try JSONValue.parse($0) } ?? [:]
        return BlueprintView(state: found.0, transitions: found.1, matching: found.2, values: values)
    }
}
