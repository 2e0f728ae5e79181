import Metadata
import SQLStore
import Wire

/// The index over the texts of records, kept in the transaction that changes them. It holds at least the grams a record's texts
/// have, so it only ever narrows a search.
package enum SearchIndex {
    static let table: TableName = "sys_search"
    static let schema: [SQL] = ["\(.gramTable(table))", "\(.gramTuning(table))"]
    /// An index without the digits of telephone numbers is made anew when the server starts.
    static let anew: [SQL] = ["DELETE FROM \(table)"]
    /// Records read at a time while the index is built anew.
    private static let batch: Int64 = 1_000

    /// A record as it was and as it is, and its grams when they were collected before.
    struct Change {
        let before: Record?
        let after: Record
        var drafted: Drafted?
    }

    /// The grams of a record that is not written yet. They hold as long as its texts stay these.
    struct Drafted: Sendable {
        fileprivate let texts: [String]
        fileprivate let grams: String
    }

    /// Collects the grams of records on their way, one after another, so that their writing need not.
    struct Drafting {
        private let texts: SearchedTexts
        private var writer = GramWriter()

        init?(_ module: Module) {
            guard module.isSearched else { return nil }
            texts = SearchedTexts(module)
        }

        mutating func draft(_ record: Record) -> Drafted {
            let texts = texts.of(record)
            return Drafted(texts: texts, grams: writer.grams(of: texts))
        }
    }

    /// Takes in what is new or has other texts than before.
    static func refresh(_ changes: [Change], _ tx: Transaction) throws {
        guard let module = changes.first?.after.module, module.isSearched else { return }
        let fields = module.indexedFields
        let changed = changes.filter { change in
            change.before.map { before in fields.contains { before[$0] != change.after[$0] } } ?? true
        }
        let old = changed.filter { $0.before != nil }.map(\.after.id)
        if !old.isEmpty { try remove(old, tx) }
        let texts = SearchedTexts(module)
        var writer = GramWriter()
        let rows = changed.map { change -> [SQLValue] in
            let texts = texts.of(change.after)
            let drafted = change.drafted.flatMap { $0.texts == texts ? $0.grams : nil }
            return [.integer(change.after.id.raw), .text(drafted ?? writer.grams(of: texts))]
        }
        try tx.insert(into: table, ["rowid", "grams"], rows: rows)
    }

    static func add(_ records: [Record], _ tx: Transaction) throws { try refresh(records.map { Change(before: nil, after: $0) }, tx) }

    static func remove(_ ids: [RecordID], _ tx: Transaction) throws {
        try tx.perform("DELETE FROM \(table) WHERE \(.memberIDs("rowid", ids.map(\.raw)))")
    }

    /// Fills an index that has nothing, as it is in a database older than the index.
    static func fillIfEmpty(_ catalog: Catalog, _ tx: Transaction) throws {
        guard try tx.first("SELECT 1 FROM \(table) LIMIT 1", { _ in true }) == nil else { return }
        for module in catalog.modules where module.isSearched {
            guard let owner = module.table else { continue }
            var last: Int64 = 0
            while true {
                let ids = try tx.rows("SELECT id FROM \(owner) WHERE id > \(.integer(last)) ORDER BY id LIMIT \(.integer(batch))") {
                    RecordID(raw: $0.integer(0) ?? 0)
                }
                guard let newest = ids.last else { break }
                let rows = try Planner(catalog, .system("the search index holds every record")).rows(
                    ids, of: module, for: .view, locked: false, tx)
                try add(ids.compactMap { rows[$0] }, tx)
                last = newest.raw
            }
        }
    }
}

extension Module {
    /// Whether the index holds this module's records.
    var isSearched: Bool {
        guard table != nil, !isSubform, generatedType != "linking" else { return false }
        return (generatedType == "custom" || apiName == "Notes" || body["global_search_supported"]?.bool == true) && !searchedFields.isEmpty
    }

    /// The fields whose texts are searched: all that can be asked whether they contain something, and numbers given by the system.
    package var searchedFields: [Field] {
        fields.filter { !$0.columns.isEmpty && ([.text, .longText].contains($0.type.comparison) || $0.type.dataType == "autonumber") }
    }
}

extension Module {
    /// Those whose texts are in the index: those that are searched, and those that are being decrypted, which will be.
    fileprivate var indexedFields: [Field] { searchedFields + opening }

    fileprivate var opening: [Field] {
        fields.filter { $0.cipher?.state == .opening && [.text, .longText].contains($0.plainType.comparison) }
    }
}

/// The texts of a module's records that are searched; where they stand is looked up once for a batch.
private struct SearchedTexts {
    private let places: [(slot: Int, isPhone: Bool)]
    private let name: FullName?
    private let opening: [Field]

    /// A full name that is made of first and last name has no words but theirs.
    private struct FullName {
        let first: Int
        let last: Int
        let whole: Int

        func isSum(in record: Record) -> Bool {
            guard case .text(let whole) = record.values[whole] else { return false }
            let parts = [first, last].compactMap { record.values[$0].text }.filter { !$0.isEmpty }
            guard let start = parts.first, let end = parts.last else { return false }
            guard parts.count == 2 else { return whole == start }
            return whole.utf8.count == start.utf8.count + 1 + end.utf8.count && whole.hasPrefix(start) && whole.hasSuffix(end)
        }
    }

    init(_ module: Module) {
        let fields = module.searchedFields
        func slot(_ name: String) -> Int? { fields.first { $0.apiName == name }.flatMap { module.slot(of: $0) } }
        if let first = slot(FullNameRule.first), let last = slot(FullNameRule.last), let whole = slot(FullNameRule.whole) {
            name = FullName(first: first, last: last, whole: whole)
        } else {
            name = nil
        }
        places = fields.compactMap { field in module.slot(of: field).map { ($0, field.type.dataType == "phone") } }
        opening = module.opening
    }

    /// A telephone number is found as it is written, and by its digits alone.
    func of(_ record: Record) -> [String] {
        var texts = opening.compactMap { record[$0].text }
        let told = name.flatMap { $0.isSum(in: record) ? $0.whole : nil }
        for (slot, isPhone) in places where slot != told {
            guard case .text(let text) = record.values[slot] else { continue }
            texts.append(text)
            guard isPhone else { continue }
            let digits = text.utf8.filter { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            if digits.count < text.utf8.count { texts.append(String(decoding: digits, as: UTF8.self)) }
        }
        return texts
    }
}

/// Keeps the search index up with every write.
struct SearchIndexRule: RecordRule {
    func concerns(_ module: Module) -> Bool { module.isSearched }

    func after(_ changes: [PendingChange], _ scope: WriteScope) throws {
        try SearchIndex.refresh(
            changes.map { SearchIndex.Change(before: $0.before, after: $0.after, drafted: $0.draftedGrams) }, scope.tx)
    }
}
