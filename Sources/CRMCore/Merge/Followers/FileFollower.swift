import Metadata
import SQLStore
import Wire

/// Moves the files that a merge gives the master, and takes away those it does not. What is taken away is kept for the undo.
struct FileFollower: MergeFollower {
    func interest(in request: MergeRequest, _ scope: WriteScope) -> MergeInterest { isNeeded(request) ? .always : .never }

    func forecast(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        let held = try FieldFiles.held(by: request.participants.map(\.id), scope.tx)
        outcome.moved.merge(gains(wanted(request, held), held, request)) { $0 + $1 }
    }

    func follow(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        let held = try FieldFiles.held(by: request.participants.map(\.id), scope.tx)
        let wanted = wanted(request, held)
        let master = request.master
        for (field, ids) in wanted {
            let own = held[master.id]?[field.id] ?? []
            let dropped = own.filter { !ids.contains($0.id) }
            guard own.map(\.id) != ids else { continue }
            try scope.tx.execute("UPDATE sys_field_file SET dropped_by = \(scope.group) WHERE \(.memberIDs("id", dropped.map(\.id.raw)))")
            // As many as a field holds: ten at most.
            for (position, id) in ids.enumerated() {
                try scope.tx.execute(
                    "UPDATE sys_field_file SET record_id = \(master.id), position = \(.integer(Int64(position))) WHERE id = \(id)")
            }
            let changes = request.participants.compactMap { record -> ChangeLog.Entry? in
                let before = (held[record.id]?[field.id] ?? []).map(\.id)
                let after = record.id == master.id ? ids : before.filter { !ids.contains($0) }
                guard before != after else { return nil }
                return .init(
                    record: record, kind: .files, field: field.id, before: .array(before.map { .id($0) }),
                    after: .array(after.map { .id($0) }))
            }
            try ChangeLog.append(changes, scope)
        }
        outcome.moved.merge(gains(wanted, held, request)) { $0 + $1 }
    }

    /// Gives every file back that is still where the merge put it.
    func undo(_ merge: UndoneMerge, _ outcome: inout UnmergeOutcome, _ scope: WriteScope) throws {
        for (record, before, _) in try merge.logged(.files, scope.tx) {
            for (position, id) in (before.array ?? []).compactMap({ $0.looseInt64.map(RecordID.init(raw:)) }).enumerated() {
                try scope.tx.execute(
                    """
                    UPDATE sys_field_file SET record_id = \(record), position = \(.integer(Int64(position))), dropped_by = NULL
                    WHERE id = \(id) AND (record_id = \(merge.master) OR dropped_by = \(merge.id))
                    """)
            }
        }
    }

    private func isNeeded(_ request: MergeRequest) -> Bool {
        !request.files.isEmpty || (PhotoStore.field(of: request.module).map { request.sources[$0.id] != nil } ?? false)
    }

    /// What the master shall hold in each field that changes; a photo goes where its field's value goes.
    private func wanted(_ request: MergeRequest, _ held: FieldFiles.Held) -> [(field: Field, ids: [RecordID])] {
        var wanted = request.files
        if let photo = PhotoStore.field(of: request.module), case .child(let index) = request.sources[photo.id] {
            wanted[photo.id] = (held[request.children[index].id]?[photo.id] ?? []).map(\.id)
        }
        return request.module.fields.compactMap { field in wanted[field.id].map { (field, $0) } }
    }

    /// How many files the master gains, by module and field.
    private func gains(_ wanted: [(field: Field, ids: [RecordID])], _ held: FieldFiles.Held, _ request: MergeRequest) -> [String: Int] {
        var gains: [String: Int] = [:]
        for (field, ids) in wanted {
            let own = Set((held[request.master.id]?[field.id] ?? []).map(\.id))
            let gained = ids.filter { !own.contains($0) }.count
            if gained > 0 { gains["\(request.module.apiName).\(field.apiName)"] = gained }
        }
        return gains
    }
}
