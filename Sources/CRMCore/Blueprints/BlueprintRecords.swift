import Metadata
import SQLStore
import Wire

/// Which records are in which process. The state itself is the value of the record's field.
package enum BlueprintRecords {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_blueprint_record (record_id \(.type(.integer)) PRIMARY KEY, module_id \(.type(.integer)) NOT NULL,
            blueprint_id \(.type(.integer)) NOT NULL, entered_at \(.type(.integer)) NOT NULL, since \(.type(.integer)) NOT NULL,
            transition_id \(.type(.integer)), saved \(.type(.text)))\(.strict)
        """,
        "CREATE INDEX sys_blueprint_record_of ON sys_blueprint_record (blueprint_id, record_id)",
    ]

    private static let columns: [ColumnName] = [
        "record_id", "module_id", "blueprint_id", "entered_at", "since", "transition_id", "saved",
    ]

    /// A record's place in a process.
    package struct Place: Sendable, Equatable {
        let blueprint: RecordID
        var enteredAt: Instant
        /// When it came into the state it is in.
        var since: Instant
        /// The transition that is partly done, and what was given for it.
        var transition: RecordID?
        var saved = SavedInputs()

        var json: JSONValue {
            [
                "blueprint": .id(blueprint), "entered": .integer(enteredAt.milliseconds), "since": .integer(since.milliseconds),
                "transition": transition.map { .id($0) } ?? .null, "saved": saved.json,
            ]
        }

        init(blueprint: RecordID, at now: Instant) {
            self.blueprint = blueprint
            (enteredAt, since) = (now, now)
        }

        init?(_ json: JSONValue) {
            guard let id = json["blueprint"]?.looseInt64, let entered = json["entered"]?.int64, let since = json["since"]?.int64 else {
                return nil
            }
            blueprint = RecordID(raw: id)
            enteredAt = Instant(milliseconds: entered)
            self.since = Instant(milliseconds: since)
            transition = json["transition"]?.looseInt64.map(RecordID.init(raw:))
            saved = SavedInputs(json["saved"] ?? .null)
        }

        init(_ row: borrowing Row, from index: Int) throws {
            blueprint = RecordID(raw: row.integer(index) ?? 0)
            enteredAt = Instant(milliseconds: row.integer(index + 1) ?? 0)
            since = Instant(milliseconds: row.integer(index + 2) ?? 0)
            transition = row.integer(index + 3).map(RecordID.init(raw:))
            saved = SavedInputs(try row.text(index + 4).map(JSONValue.parse) ?? .null)
        }
    }

    static func places(of ids: [RecordID], _ tx: Transaction) throws -> [RecordID: Place] {
        guard !ids.isEmpty else { return [:] }
        let found = try tx.rows(
            """
            SELECT record_id, blueprint_id, entered_at, since, transition_id, saved FROM sys_blueprint_record \
            WHERE \(.memberIDs("record_id", ids.map(\.raw)))
            """
        ) { row in (RecordID(raw: row.integer(0) ?? 0), try Place(row, from: 1)) }
        return Dictionary(found, uniquingKeysWith: { first, _ in first })
    }

    static func add(_ places: [(record: RecordID, place: Place)], of module: ModuleID, _ tx: Transaction) throws {
        try tx.insert(
            into: "sys_blueprint_record", columns,
            rows: places.map { record, place in
                [
                    .id(record), .integer(module.raw), .id(place.blueprint), .init(place.enteredAt), .init(place.since),
                    .id(place.transition), .text(place.saved.json.text),
                ]
            })
    }

    static func set(_ place: Place, of record: RecordID, _ tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE sys_blueprint_record SET since = \(place.since), transition_id = \(SQLValue.id(place.transition)), \
            saved = \(.text(place.saved.json.text)) WHERE record_id = \(record)
            """)
    }

    /// They leave their process, whatever it is.
    static func remove(_ ids: [RecordID], _ tx: Transaction) throws {
        guard !ids.isEmpty else { return }
        try tx.execute("DELETE FROM sys_blueprint_record WHERE \(.memberIDs("record_id", ids.map(\.raw)))")
    }

    /// A blueprint is gone, and nothing is in it any more.
    package static func removeAll(of blueprint: RecordID, _ scope: MetadataScope) throws {
        try scope.tx.execute("DELETE FROM sys_blueprint_record WHERE blueprint_id = \(blueprint)")
    }

    /// When a blueprint comes into force, or what leads on changes, records that nothing leads on from leave it.
    package static func removeStuck(in id: RecordID, now body: JSONValue, before: JSONValue, _ scope: MetadataScope) throws {
        let (now, former) = (Blueprint(id, body), Blueprint(id, before))
        guard now.isActive, !former.isActive || !former.openStates.isSubset(of: now.openStates),
            let module = scope.catalog.module(id: now.module), let table = module.table, let column = module.field(now.field)?.columns.first
        else { return }
        let state: SQL = "COALESCE(\(column, of: "t"), \(SQLValue.text(Blueprint.none)))"
        try scope.tx.execute(
            """
            DELETE FROM sys_blueprint_record WHERE blueprint_id = \(id) AND EXISTS (SELECT 1 FROM \(table) t \
            WHERE t.id = sys_blueprint_record.record_id AND NOT (\(.memberTexts(state, now.openStates.sorted()))))
            """)
    }

    /// Whether row `t` is in a process that is in force, as a number; `nil` where the module has none.
    static func isInProcess(_ module: Module, _ catalog: Catalog) -> SQL? {
        let active = Blueprint.all(of: module.id, catalog).filter(\.isActive).map(\.id.raw)
        guard !active.isEmpty else { return nil }
        return "(SELECT count(*) FROM sys_blueprint_record p WHERE p.record_id = t.id AND \(.memberIDs("p.blueprint_id", active)))"
    }
}

/// What was given for a transition that is not complete yet.
package struct SavedInputs: Sendable, Equatable {
    var fields: Set<Int64> = []
    var hasNote = false
    var hasAttachments = false
    /// What is ticked, by the title of the check list.
    var ticked: [String: Set<String>] = [:]

    init() {}

    init(_ json: JSONValue) {
        fields = Set((json["fields"]?.array ?? []).compactMap(\.looseInt64))
        hasNote = json["note"]?.bool ?? false
        hasAttachments = json["attachments"]?.bool ?? false
        for member in json["ticked"]?.members ?? [] { ticked[member.name] = Set((member.value.array ?? []).compactMap(\.string)) }
    }

    var json: JSONValue {
        let lists = ticked.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        return [
            "fields": .array(fields.sorted().map { .string(String($0)) }), "note": .bool(hasNote), "attachments": .bool(hasAttachments),
            "ticked": .object(lists.map { .init($0.key, .array($0.value.sorted().map(JSONValue.string))) }),
        ]
    }
}

extension Transition {
    /// What it must have: a name for the refusal, and whether it is there.
    func demands(_ saved: SavedInputs, _ module: Module) -> [(name: String, isMet: Bool)] {
        var demands = fields.filter(\.isMandatory).compactMap { input in
            module.field(input.field).map { ($0.apiName, saved.fields.contains(input.field.raw)) }
        }
        if note == true { demands.append(("Notes", saved.hasNote)) }
        if attachments == true { demands.append(("Attachments", saved.hasAttachments)) }
        for list in checkLists where list.isMandatory {
            demands.append(("CheckLists", saved.ticked[list.title, default: []].isSuperset(of: list.items)))
        }
        return demands.map { (name: $0.0, isMet: $0.1) }
    }
}
