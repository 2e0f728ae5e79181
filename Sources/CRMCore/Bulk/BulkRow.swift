import Metadata
import SQLStore
import Wire

/// What became of a row. Contract: bulk-write, 248.
struct BulkOutcome: Sendable {
    enum Status: String, Sendable {
        case added = "ADDED"
        case updated = "UPDATED"
        case skipped = "SKIPPED"
    }

    let status: Status
    var id: RecordID?
    var errors = ""

    static func skipped(_ code: String, _ field: String) -> BulkOutcome { BulkOutcome(status: .skipped, errors: "\(code)-\(field)") }

    init(status: Status, id: RecordID? = nil, errors: String = "") {
        self.status = status
        self.id = id
        self.errors = errors
    }

    /// A refusal of the record pipeline in the words of result files.
    init(_ rejection: Rejection) {
        let several = rejection.details["errors"]?.array ?? []
        let words =
            several.isEmpty
            ? [Self.word(rejection.code.name, rejection.details)]
            : several.map { error in
                Self.word(error["code"]?.string ?? "", error["details"] ?? [:])
            }
        self.init(status: .skipped, errors: words.joined(separator: ":"))
    }

    private static let codes: Set<String> = [
        "MANDATORY_NOT_FOUND", "INVALID_DATA", "DUPLICATE_DATA", "NOT_APPROVED", "BLOCKED_RECORD", "CANNOT_PROCESS", "LIMIT_EXCEEDED",
        "RESOURCE_NOT_FOUND",
    ]

    /// Codes that result files do not know say only that the row could not be processed.
    private static func word(_ code: String, _ details: JSONValue) -> String {
        let field = details["api_name"]?.string ?? ""
        if code == "INVALID_DATA", field == "id" { return "RESOURCE_NOT_FOUND-id" }
        let known = codes.contains(code) ? code : "CANNOT_PROCESS"
        return field.isEmpty ? known : "\(known)-\(field)"
    }
}

/// Cells of rows as the values of a write body. Touches no database: what lookups stand for is asked for a whole batch at once.
struct BulkCells {
    /// A column with everything there is to know about it.
    struct Column {
        let mapping: BulkWriteRequest.Mapping
        let field: Field
        let pattern: DatePattern?
        let numbers: NumberPattern
        /// The lookup's value is not an id, but what this field of the module it leads to holds.
        let found: (module: Module, field: Field)?
    }

    let columns: [Column]
    private let catalog: Catalog
    private let zone: TimeZoneRule
    private let keepsEmpty: Bool

    init(_ resource: BulkWriteRequest.Resource, _ module: Module, _ catalog: Catalog, zone: TimeZoneRule, keepsEmpty: Bool)
        throws(Rejection)
    {
        var columns: [Column] = []
        for mapping in resource.mappings {
            guard let field = module.field(mapping.field) else { throw Rejection(.invalidField, .apiName(mapping.field)) }
            let standard = field.plainType.comparison == .instant ? DatePattern.instant : DatePattern.date
            let isDate = field.plainType.comparison == .instant || field.plainType.comparison == .date
            var found: (Module, Field)?
            if let name = mapping.findBy, name != "id", field.isRecordLookup {
                guard let target = field.target.flatMap({ catalog.module(id: $0) }), let other = target.field(name) else {
                    throw Rejection(.invalidField, .apiName(name))
                }
                found = (target, other)
            }
            let numbers = field.type.comparison == .number ? mapping.format.flatMap(NumberPattern.init) : nil
            columns.append(
                Column(
                    mapping: mapping, field: field, pattern: isDate ? DatePattern(mapping.format ?? standard) : nil,
                    numbers: numbers ?? .usual, found: found))
        }
        self.columns = columns
        self.catalog = catalog
        self.zone = zone
        self.keepsEmpty = keepsEmpty
    }

    init(
        _ request: BulkWriteRequest, _ resource: BulkWriteRequest.Resource, _ module: Module, _ catalog: Catalog, _ access: AccessPolicy
    ) throws(Rejection) {
        let zone = catalog.user(access.user)?.zone ?? catalog.zone
        // A new record has nothing that an empty cell could empty.
        try self.init(resource, module, catalog, zone: zone, keepsEmpty: !request.ignoresEmpty && request.operation != .insert)
    }

    /// The text of a row in a column: blank ends do not count.
    static func text(_ row: [String], _ column: Column) -> String { text(row, column.mapping) }

    static func text(_ row: [String], _ mapping: BulkWriteRequest.Mapping) -> String {
        guard let index = mapping.index, index < row.count else { return "" }
        let cell = row[index]
        guard let first = cell.utf8.first, let last = cell.utf8.last, first <= 0x20 || last <= 0x20 else { return cell }
        var trimmed = cell[...]
        while let end = trimmed.unicodeScalars.last, end.value <= 0x20 { trimmed.unicodeScalars.removeLast() }
        while let start = trimmed.unicodeScalars.first, start.value <= 0x20 { trimmed.unicodeScalars.removeFirst() }
        return String(trimmed)
    }

    /// An item of a write body; a refusal where a cell cannot be what its field needs. `references` are the ids found for lookups.
    func item(_ row: [String], _ references: BulkReferences) -> Result<[JSONValue.Member], BulkRefusal> {
        var members: [JSONValue.Member] = []
        members.reserveCapacity(columns.count)
        for column in columns where column.mapping.parentIndex == nil {
            let text = Self.text(row, column)
            if text.isEmpty, let standard = column.mapping.standard {
                members.append(.init(column.field.apiName, standard))
                continue
            }
            guard !text.isEmpty else {
                if keepsEmpty, column.mapping.index != nil { members.append(.init(column.field.apiName, .null)) }
                continue
            }
            guard let value = value(text, column, references) else { return .failure(BulkRefusal(field: column.field.apiName)) }
            members.append(.init(column.field.apiName, value))
        }
        return .success(members)
    }

    private func value(_ text: String, _ column: Column, _ references: BulkReferences) -> JSONValue? {
        let field = column.field
        switch field.plainType.comparison {
        case .date: return column.pattern?.date(text).map { .string($0.iso) }
        case .instant: return column.pattern?.instant(text, zone).map { .string($0.iso(offsetMinutes: 0)) }
        case .flag:
            switch text.lowercased() {
            case "true", "yes", "1", "on": return true
            case "false", "no", "0", "off": return false
            default: return nil
            }
        case .number: return column.numbers.plain(text).map(JSONValue.string)
        case .choices: return .array(text.split(separator: ";").map { .string(String($0.drop { $0 == " " })) })
        case .reference: return reference(text, column, references)
        case .text, .longText, .choice: return .string(text)
        case .none, .sealed:
            if field.apiName == "Tag" {
                return .array(text.split { $0 == ";" || $0 == "," }.map { .string(String($0.drop { $0 == " " })) })
            }
            // Reminders, taxes and the like are written as they are in a body.
            return (try? JSONValue.parse(Array(text.utf8))) ?? .string(text)
        }
    }

    private func reference(_ text: String, _ column: Column, _ references: BulkReferences) -> JSONValue? {
        if let found = column.found { return references.id(text, found.field).map { ["id": .id($0)] } }
        switch column.field.type.cell {
        case .user: return user(text, column.mapping.findBy).map { ["id": .string(String($0.id.raw))] }
        case .layout: return layout(text, of: column).map { ["id": .id($0)] }
        default: return RecordID(text).map { ["id": .id($0)] }
        }
    }

    private func user(_ text: String, _ findBy: String?) -> User? {
        if findBy == nil || findBy == "id", let id = RecordID(text) { return catalog.user(UserID(raw: id.raw)) }
        let folded = TextFolding.fold(text)
        return catalog.users.first { user in
            let own = findBy == "email" ? user.email : findBy.flatMap { user.body[$0]?.string } ?? user.fullName
            return TextFolding.fold(own) == folded
        }
    }

    private func layout(_ text: String, of column: Column) -> RecordID? {
        let parent = catalog.modules.first { $0.field(column.field.id) != nil }?.id.raw
        return catalog.documents(.layout).first { document in
            document.parent?.raw == parent && (String(document.id.raw) == text || document.body["name"]?.string == text)
        }?.id
    }
}

/// A cell that cannot be what its field needs.
struct BulkRefusal: Error { let field: String }

/// The records that values of lookups stand for, asked in one statement for each column of a batch.
struct BulkReferences {
    private var found: [FieldID: [SQLValue: RecordID]] = [:]

    init() {}

    init(_ rows: [[String]], _ cells: BulkCells, _ scope: WriteScope) throws {
        for column in cells.columns {
            guard let (module, field) = column.found else { continue }
            let texts = Set(rows.map { BulkCells.text($0, column) }).filter { !$0.isEmpty }
            let values = texts.compactMap { Self.value($0, field) }
            guard !values.isEmpty else { continue }
            let holders = try UniqueValues(field, module, for: scope.access.user).holders(of: values, scope.tx)
            for (key, records) in holders { found[field.id, default: [:]][key] = records.first?.id }
        }
    }

    func id(_ text: String, _ field: Field) -> RecordID? {
        Self.value(text, field).flatMap { found[field.id]?[UniqueValues.key($0)] }
    }

    /// The text as the field stores it.
    static func value(_ text: String, _ field: Field) -> SQLValue? {
        switch field.type.storage.first {
        case .text: .text(field.choices[text] ?? text)
        case .integer: RecordID(text).map { .integer($0.raw) }
        case .real: JSONValue.string(text).looseDouble.map(SQLValue.real)
        case .blob, nil: nil
        }
    }
}
