import Metadata
import SQLStore
import Wire

/// People enrol records in cadences, and take them out. Contract: cadences, 65 and 66.
package struct CadenceEnrolment {
    package static let mostCadences = 5, mostRecords = 100

    /// Cadences of manual enrolment, in the order given.
    private let cadences: [Cadence]
    private let module: Module
    private let scope: WriteScope

    /// `cadences` with their places in the body.
    package init(_ cadences: [(id: RecordID, path: JSONPath)], of module: Module, entering: Bool, _ scope: WriteScope) throws(Rejection) {
        var found: [Cadence] = []
        for (id, path) in cadences where !found.contains(where: { $0.id == id }) {
            guard let cadence = Cadence.all(scope.catalog).first(where: { $0.id == id && $0.module == module.id }) else {
                throw .invalid(at: path)
            }
            guard cadence.enrolment == .manual else { throw .notAllowed(at: path, message: "the cadence enrols the records of its view") }
            guard cadence.isActive || !entering else { throw .notAllowed(at: path, message: "the cadence is inactive") }
            found.append(cadence)
        }
        self.cadences = found
        self.module = module.whole
        self.scope = scope
    }

    package typealias Outcome = Result<(record: RecordID, cadences: [Cadence]), Rejection>

    /// A record that is enrolled already goes on where it is. Each outcome belongs to the id in its place.
    package func enrol(_ ids: [(id: RecordID, path: JSONPath)]) throws -> [Outcome] {
        let rows = try rows(ids.map(\.id))
        let known = Set(try CadenceRecords.of(rows.keys.sorted(), scope.tx).filter(\.isRunning).map { [$0.record.raw, $0.cadence.raw] })
        var added: [CadenceRecords.Entry] = []
        for id in rows.keys.sorted() {
            guard let record = rows[id], Self.mayBeEnrolled(record) else { continue }
            for cadence in cadences where !known.contains([id.raw, cadence.id.raw]) {
                added.append(
                    .init(
                        cadence: cadence.id, record: id, module: module.id, due: cadence.firstDue(at: scope.now), by: scope.access.user,
                        at: scope.now))
            }
        }
        try Self.begin(added, scope)
        return ids.map { id, path in
            guard let record = rows[id] else { return .failure(rows.refusal(of: id, else: .unknownRecord(at: path))) }
            guard Self.mayBeEnrolled(record) else {
                return .failure(Rejection(record.heldByMerge != nil ? .recordLocked : .convertedRecord, .id(id)))
            }
            return .success((id, cadences))
        }
    }

    /// Answers name the cadences that the record was in.
    package func unenrol(_ ids: [(id: RecordID, path: JSONPath)]) throws -> [Outcome] {
        let rows = try rows(ids.map(\.id))
        try CadenceRecords.remove(rows.keys.sorted(), from: cadences.map(\.id), scope.tx)
        return ids.map { id, path in
            rows[id] == nil ? .failure(rows.refusal(of: id, else: .unknownRecord(at: path))) : .success((id, cadences))
        }
    }

    private func rows(_ ids: [RecordID]) throws -> LoadedRows {
        try scope.access.require(.edit, module)
        return try Planner(scope.catalog, scope.access).rows(Array(Set(ids)), of: module, for: .edit, scope.tx)
    }

    private static func mayBeEnrolled(_ record: Record) -> Bool { record.heldByMerge == nil && !record.isConverted }

    /// Puts enrolments into the table in place of former ones, and has the clock wait for their first steps.
    static func begin(_ entries: [CadenceRecords.Entry], _ scope: WriteScope) throws {
        for (cadence, some) in Dictionary(grouping: entries, by: \.cadence) {
            try CadenceRecords.remove(some.map(\.record), from: [cadence], scope.tx)
        }
        try CadenceRecords.put(entries, scope.tx)
        try CadenceJob.set(entries, scope)
    }
}

extension Cadence {
    func firstDue(at now: Instant) -> Instant { steps.first?.delay.after(now) ?? now }
}
