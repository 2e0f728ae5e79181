import CRMCore
import Metadata
import SQLStore
import Wire

/// Every record, link row and tag of a database, to compare one moment with another. Versions of rows are left out.
package struct RecordDump: Sendable, Equatable {
    /// Rows by module and id: each column's name and value.
    package private(set) var rows: [String: [Int64: [String: SQLValue]]] = [:]
    /// The tags of each record, in order.
    package private(set) var tags: [Int64: [Int64]] = [:]
    /// The territories of each record, and whether a person put it there.
    package private(set) var territories: [Int64: Set<String>] = [:]
    /// Shares, files in fields, and events a record takes part in, each in words.
    package private(set) var attached: Set<String> = []

    package static func take(_ services: Services) async throws -> RecordDump {
        let catalog = services.catalog.current()
        return try await services.database.run(.read) { tx in
            var dump = RecordDump()
            for module in catalog.modules {
                guard let table = module.table else { continue }
                let columns = module.storedColumns
                try tx.forEach("SELECT \(.joined(columns.map(\.name))) FROM \(table)") { row in
                    var values: [String: SQLValue] = [:]
                    for (index, column) in columns.enumerated() where index != module.versionSlot {
                        values[column.name.raw] = row.value(index, as: column.type)
                    }
                    dump.rows[module.apiName, default: [:]][row.integer(0) ?? 0] = values
                }
            }
            try tx.forEach("SELECT record_id, tag_id FROM sys_record_tag ORDER BY record_id, position") { row in
                dump.tags[row.integer(0) ?? 0, default: []].append(row.integer(1) ?? 0)
            }
            try tx.forEach("SELECT record_id, territory_id, manual FROM sys_record_territory") { row in
                dump.territories[row.integer(0) ?? 0, default: []].insert("\(row.integer(1) ?? 0)/\(row.integer(2) ?? 0)")
            }
            try tx.forEach("SELECT record_id, target, target_id, permission, with_related, shared_at FROM sys_share") { row in
                let whom = "\(row.text(1) ?? "") \(row.integer(2) ?? 0) \(row.text(3) ?? "") \(row.integer(4) ?? 0) \(row.integer(5) ?? 0)"
                dump.attached.insert("share of \(row.integer(0) ?? 0) with \(whom)")
            }
            try tx.forEach("SELECT id, record_id, field_id, position, dropped_by FROM sys_field_file") { row in
                let place = "\(row.integer(1) ?? 0).\(row.integer(2) ?? 0)[\(row.integer(3) ?? 0)]"
                dump.attached.insert("file \(row.integer(0) ?? 0) in \(place) dropped by \(row.integer(4) ?? 0)")
            }
            try tx.forEach("SELECT record_id, event_id FROM sys_event_participant") { row in
                dump.attached.insert("\(row.integer(0) ?? 0) in event \(row.integer(1) ?? 0)")
            }
            try tx.forEach("SELECT id, record_id, linked_id FROM sys_email") { row in
                dump.attached.insert("mail \(row.integer(0) ?? 0) of \(row.integer(1) ?? 0) and \(row.integer(2) ?? 0)")
            }
            return dump
        }
    }

    package func count(_ module: String) -> Int { rows[module]?.count ?? 0 }

    /// What differs, in words, for a failing test.
    package func differences(from other: RecordDump) -> [String] {
        var found: [String] = []
        for module in Set(rows.keys).union(other.rows.keys).sorted() {
            let mine = rows[module] ?? [:]
            let theirs = other.rows[module] ?? [:]
            for id in Set(mine.keys).union(theirs.keys).sorted() where mine[id] != theirs[id] {
                guard let new = mine[id], let old = theirs[id] else {
                    found.append("\(module) \(id) \(mine[id] == nil ? "is gone" : "is new")")
                    continue
                }
                let columns = new.keys.filter { new[$0] != old[$0] }.sorted()
                found.append(
                    "\(module) \(id): " + columns.map { "\($0) \(old[$0] ?? .null) -> \(new[$0] ?? .null)" }.joined(separator: ", "))
            }
        }
        for id in Set(tags.keys).union(other.tags.keys).sorted() where tags[id] != other.tags[id] {
            found.append("tags of \(id): \(other.tags[id] ?? []) -> \(tags[id] ?? [])")
        }
        for id in Set(territories.keys).union(other.territories.keys).sorted() where territories[id] != other.territories[id] {
            found.append("territories of \(id): \(other.territories[id] ?? []) -> \(territories[id] ?? [])")
        }
        found += attached.subtracting(other.attached).sorted().map { "new: \($0)" }
        found += other.attached.subtracting(attached).sorted().map { "gone: \($0)" }
        return found
    }
}

/// What must hold in every database at rest.
package enum ConsistencyCheck {
    /// Violations in words; empty when all is well.
    package static func run(_ services: Services) async throws -> [String] {
        let catalog = services.catalog.current()
        return try await services.database.run(.read) { tx in
            var found: [String] = []
            for module in catalog.modules {
                guard let table = module.table else { continue }
                let held = try tx.first("SELECT count(*) FROM \(table) WHERE in_merge IS NOT NULL") { $0.integer(0) ?? 0 } ?? 0
                if held > 0 { found.append("\(held) rows of \(module.apiName) are still under merge") }
                for field in module.fields where field.isRecordLookup {
                    guard let column = field.columns.first else { continue }
                    let sql: SQL =
                        "SELECT t.id, t.\(column) FROM \(table) t JOIN sys_grave g ON g.id = t.\(column) WHERE g.kind = 'merged' ORDER BY t.id LIMIT 3"
                    let dangling = try tx.rows(sql) { "\($0.integer(0) ?? 0) at \($0.integer(1) ?? 0)" }
                    if !dangling.isEmpty { found.append("\(module.apiName).\(field.apiName) points at merged records: \(dangling)") }
                }
                if let (left, right) = module.linkPair, let one = left.columns.first, let other = right.columns.first {
                    let sql: SQL =
                        "SELECT count(*) FROM (SELECT 1 FROM \(table) WHERE \(other) IS NOT NULL GROUP BY \(one), \(other) HAVING count(*) > 1) q"
                    let doubled = try tx.first(sql) { $0.integer(0) ?? 0 } ?? 0
                    if doubled > 0 { found.append("\(doubled) pairs of \(module.apiName) are linked twice") }
                }
                let buried = try tx.first("SELECT count(*) FROM \(table) t JOIN sys_grave g ON g.id = t.id") { $0.integer(0) ?? 0 } ?? 0
                if buried > 0 { found.append("\(buried) rows of \(module.apiName) are both alive and buried") }
            }
            let open = try tx.first("SELECT count(*) FROM sys_merge WHERE state IN ('SCHEDULED', 'RUNNING')") { $0.integer(0) ?? 0 } ?? 0
            if open > 0 { found.append("\(open) merges never ended") }
            let undos = try tx.first("SELECT count(*) FROM sys_unmerge WHERE state IN ('SCHEDULED', 'RUNNING')") { $0.integer(0) ?? 0 } ?? 0
            if undos > 0 { found.append("\(undos) undos never ended") }
            let tags =
                try tx.first("SELECT count(*) FROM sys_record_tag r JOIN sys_grave g ON g.id = r.record_id WHERE g.kind = 'merged'") {
                    $0.integer(0) ?? 0
                } ?? 0
            if tags > 0 { found.append("\(tags) tags of merged records") }
            for column in ["record_id", "linked_id"] as [ColumnName] {
                let mails =
                    try tx.first("SELECT count(*) FROM sys_email e JOIN sys_grave g ON g.id = e.\(column) WHERE g.kind = 'merged'") {
                        $0.integer(0) ?? 0
                    } ?? 0
                if mails > 0 { found.append("\(mails) mails of merged records") }
            }
            return found
        }
    }
}
