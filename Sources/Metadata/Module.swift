import SQLStore
import Wire

/// A module with its fields, as one catalog version knows it.
package final class Module: Sendable {
    package let id: ModuleID
    package let apiName: String
    package let singularLabel: String
    /// Where its records live; `nil` for modules without rows of their own.
    package let table: TableName?
    package let fields: [Field]
    package let displayField: Field?
    package let generatedType: String
    package let apiSupported: Bool
    /// When the module or one of its fields was last changed.
    package let modifiedAt: Instant?
    /// The metadata answer, without what the defaults say.
    package let body: JSONValue
    /// All columns of the table in the order of their creation; `id` comes first.
    package let storedColumns: [StoredColumn]
    /// The formula fields with their formulas; what one reads of the others stands before it.
    package let formulas: [(field: Field, formula: Formula)]
    /// All columns of the table as `t`, for a SELECT list.
    package let rowList: SQL
    private let slots: [FieldID: Int]
    private let byName: [String: Field]
    private let byID: [FieldID: Field]
    private let narrowedFrom: Module?

    init(_ document: Document, _ defaults: JSONValue, fields: [Field], fieldsModifiedAt: Instant?) {
        let body = document.body
        id = ModuleID(raw: document.id.raw)
        apiName = document.apiName ?? ""
        singularLabel = body["singular_label"]?.string ?? apiName
        table = body["table"]?.string.flatMap(TableName.init(checked:))
        generatedType = body["generated_type"]?.string ?? defaults["generated_type"]?.string ?? "default"
        apiSupported = (body["api_supported"] ?? defaults["api_supported"])?.bool ?? true
        self.fields = fields
        self.body = body
        modifiedAt = [document.modifiedAt, fieldsModifiedAt].compactMap(\.self).max()
        displayField = fields.first { $0.body["display_field"]?.bool == true }
        formulas = FormulaOrder.formulas(of: fields)
        byName = Dictionary(fields.map { ($0.apiName, $0) }, uniquingKeysWith: { first, _ in first })
        var columns = [StoredColumn(name: "id", type: .integer)]
        var slots: [FieldID: Int] = [:]
        for field in fields where !field.columns.isEmpty {
            if field.columns[0].raw == "id" {
                slots[field.id] = 0
                continue
            }
            slots[field.id] = columns.count
            columns += field.storedColumns
        }
        storedColumns = columns + Self.systemColumns
        rowList = .fixed(storedColumns.map(\.name), of: "t")
        self.slots = slots
        byID = Dictionary(fields.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        narrowedFrom = nil
    }

    /// The module as somebody sees it from whom fields are hidden: no name or id finds them. Its table is the same.
    init(_ module: Module, hiding hidden: Set<FieldID>) {
        let whole = module.whole
        id = whole.id
        apiName = whole.apiName
        singularLabel = whole.singularLabel
        table = whole.table
        generatedType = whole.generatedType
        apiSupported = whole.apiSupported
        body = whole.body
        modifiedAt = whole.modifiedAt
        storedColumns = whole.storedColumns
        rowList = whole.rowList
        slots = whole.slots
        formulas = whole.formulas
        fields = whole.fields.filter { !hidden.contains($0.id) }
        displayField = whole.displayField.flatMap { hidden.contains($0.id) ? nil : $0 }
        byName = Dictionary(fields.map { ($0.apiName, $0) }, uniquingKeysWith: { first, _ in first })
        byID = Dictionary(fields.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        narrowedFrom = whole
    }

    /// The module with all its fields: what records are made of, whoever asks.
    package var whole: Module { narrowedFrom ?? self }

    /// What is left out here of the whole module.
    package var hiddenFields: [Field] { narrowedFrom.map { $0.fields.filter { byID[$0.id] == nil } } ?? [] }

    package func field(_ apiName: some StringProtocol) -> Field? { byName[String(apiName)] }
    package func field(_ id: FieldID) -> Field? { byID[id] }

    /// Where the field's first column stands among `storedColumns`; `nil` when it has none.
    package func slot(of field: Field) -> Int? { slots[field.id] }
    package var versionSlot: Int { storedColumns.count - 2 }
    package var mergeSlot: Int { storedColumns.count - 1 }

    /// The two lookups whose values must be a unique pair, when this is a linking module.
    package var linkPair: (Field, Field)? {
        guard generatedType == "linking" else { return nil }
        let lookups = fields.filter { ($0.isRecordLookup || $0.type.cell == .user) && $0.body["link_side"]?.bool == true }
        return lookups.count == 2 ? (lookups[0], lookups[1]) : nil
    }

    /// The column that names a record of this module.
    package var displayColumn: ColumnName? { displayField?.columns.first }
}
