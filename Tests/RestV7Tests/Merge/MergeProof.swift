import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Compares a database before and after one merge, whatever modules it has: every row that pointed at a child points at the
/// master, no row vanished that the rules do not name, each that did is in the journal, and the counts told add up. Contract:
/// merge, §6.
struct MergeProof {
    let before: RecordDump
    let after: RecordDump
    let module: String
    let master: Int64
    let children: Set<Int64>
    /// What the merge told: moved, collisions, journal.
    let told: JSONValue
    let note: Comment

    init(before: RecordDump, after: RecordDump, module: String, master: String, children: [String], told: JSONValue, _ note: String) {
        self.before = before
        self.after = after
        self.module = module
        self.master = Int64(master) ?? 0
        self.children = Set(children.compactMap { Int64($0) })
        self.told = told
        self.note = Comment(rawValue: note)
    }

    func hold(_ bench: RecordBench) async throws {
        let catalog = bench.server.services.catalog.current()
        var vanished: Set<Int64> = []
        var lostLinks = 0
        var moved: [String: Int] = [:]
        for each in catalog.modules {
            for (id, row) in before.rows[each.apiName] ?? [:] {
                if let now = after.rows[each.apiName]?[id] {
                    compare(row, now, id, each, &moved)
                } else {
                    vanished.insert(id)
                    if each.linkPair != nil { lostLinks += 1 } else { expectNamed(row, id, each) }
                }
            }
            for id in (after.rows[each.apiName] ?? [:]).keys {
                #expect(before.rows[each.apiName]?[id] != nil, "\(note): \(each.apiName) \(id) came from nowhere")
            }
        }
        #expect(told["collisions"] == .integer(lostLinks), note)
        let counted = (told["moved"]?.members ?? []).filter {
            !["Tags", "Territories", "Events.Participants"].contains($0.name) && $0.value.int64 != 0
        }
        let telling = Dictionary(uniqueKeysWithValues: counted.map { ($0.name, Int($0.value.int64 ?? 0)) })
        #expect(telling == moved, note)
        let journal = RecordID(told["journal_id"]?.string ?? "") ?? RecordID(raw: 0)
        let kept = try await bench.server.services.database.run(.read) { tx in
            Set(
                try tx.rows(
                    """
                    SELECT record_id FROM sys_change WHERE group_id = \(journal) AND kind = 'link_dropped' UNION ALL \
                    SELECT id FROM sys_grave WHERE group_id = \(journal)
                    """
                ) { $0.integer(0) ?? 0 })
        }
        #expect(kept == vanished, "\(note): what is gone is what the journal keeps")
    }

    /// A row that is no link may go only as a child, or as a row of a subform that a child brings along or the master gives up.
    private func expectNamed(_ row: [String: SQLValue], _ id: Int64, _ owner: Module) {
        if owner.isSubform, case .integer(let parent) = row["parent_id"], children.contains(parent) || parent == master { return }
        #expect(owner.apiName == module && children.contains(id), "\(note): \(owner.apiName) \(id) is lost")
    }

    /// A link that led elsewhere does not come to link the survivor with itself.
    private func expectNoNewSelf(_ row: [String: SQLValue], _ now: [String: SQLValue], _ id: Int64, _ owner: Module) {
        guard let (left, right) = owner.linkPair, let one = left.columns.first?.raw, let other = right.columns.first?.raw else { return }
        #expect(
            now[one] != .integer(master) || now[other] != .integer(master) || row[one] == row[other],
            "\(note): \(owner.apiName) \(id) links the survivor with itself")
    }

    private func compare(
        _ row: [String: SQLValue], _ now: [String: SQLValue], _ id: Int64, _ owner: Module, _ moved: inout [String: Int]
    ) {
        guard id != master else { return }
        expectNoNewSelf(row, now, id, owner)
        var free: Set<String> = []
        for field in owner.fields where field.isRecordLookup {
            guard let column = field.columns.first else { continue }
            free.insert(column.raw)
            guard case .integer(let old) = row[column.raw], children.contains(old) else {
                #expect(now[column.raw] == row[column.raw], "\(note): \(owner.apiName).\(field.apiName) of \(id) moved for no reason")
                continue
            }
            #expect(now[column.raw] == .integer(master), "\(note): \(owner.apiName).\(field.apiName) of \(id)")
            moved["\(owner.apiName).\(field.apiName)", default: 0] += 1
        }
        // Nothing else of a related row changes, but for what a link takes over from one that goes.
        for (column, value) in row where !free.contains(column) && now[column] != value {
            if owner.apiName == "Events", column == "participants" { continue }
            #expect(owner.linkPair != nil && value == SQLValue.null, "\(note): \(owner.apiName).\(column) of \(id) changed")
        }
    }
}
