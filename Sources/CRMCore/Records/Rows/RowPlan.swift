import Metadata
import SQLStore
import Wire

/// Which rows of one record are added, changed, removed and kept.
struct RowPlan {
    /// A row on its way to the decoder.
    struct Draft {
        let item: JSONCursor
        let record: Record
        let kind: PendingChange.Kind
    }

    let kept: [Record]
    let removed: [Record]
    private let rows: RowField
    private var added: [JSONCursor] = []
    private var changed: [(Record, JSONCursor)] = []
    private let scope: WriteScope
    private let before: [Record]

    init(_ edits: RowEdits, _ stored: [Record], _ scope: WriteScope) throws(Rejection) {
        rows = edits.rows
        self.scope = scope
        before = stored
        var named: Set<RecordID> = []
        var removed: [Record] = edits.clears ? stored : []
        func row(_ id: RecordID, _ path: JSONPath) throws(Rejection) -> Record {
            guard let found = stored.first(where: { $0.id == id }) else { throw .unknownRecord(at: path) }
            guard named.insert(id).inserted else { throw .duplicate(at: path) }
            return found
        }
        for edit in edits.edits {
            switch edit {
            case .add(let item): added.append(item)
            case .change(let id, let item): changed.append((try row(id, item.path.appending("id")), item))
            case .remove(let id, let path): removed.append(try row(id, path))
            }
        }
        self.removed = removed
        kept = edits.clears ? [] : stored.filter { !named.contains($0.id) }
        added = Self.new(added, rows, kept + changed.map(\.0))
        guard kept.count + changed.count + added.count <= RowField.limit else { throw .tooLong(RowField.limit, at: edits.path) }
    }

    /// Two records are joined once: a link that is there already is not added again.
    private static func new(_ items: [JSONCursor], _ rows: RowField, _ stored: [Record]) -> [JSONCursor] {
        guard case .link(let theirs) = rows.kind else { return items }
        var joined = Set(stored.compactMap { $0[theirs].integer })
        return items.filter { item in
            guard let value = item.value[theirs.apiName], let id = (value["id"] ?? value).looseInt64 else { return true }
            return joined.insert(id).inserted
        }
    }

    /// Rows for the decoder, with their record set and what lines of products take from elsewhere filled in.
    func drafts(of record: Record, _ prices: LinePrices) -> [Draft] {
        var number = before.compactMap { $0["Sequence_Number"].integer }.max() ?? 0
        let numbered = rows.module.field("Sequence_Number") != nil
        let parent = FieldValue.reference(record.id, record.module.id).bind(rows.parent)
        var drafts = changed.map { Draft(item: prices.completed(own($1), $0), record: $0, kind: .update) }
        for item in added {
            var new = Record(rows.module, id: scope.ids.next())
            new.set(rows.parent, to: parent)
            if numbered {
                number += 1
                new["Sequence_Number"] = .integer(number)
            }
            drafts.append(Draft(item: prices.completed(own(item), nil), record: new, kind: .insert))
        }
        return drafts
    }

    /// A row stays with its record, whatever its item says.
    private func own(_ item: JSONCursor) -> JSONCursor {
        JSONCursor(.object((item.value.members ?? []).filter { $0.name != rows.parent.apiName }), at: item.path)
    }
}
