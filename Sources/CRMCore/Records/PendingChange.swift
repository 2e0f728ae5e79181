import Metadata
import SQLStore
import Wire

/// A record on its way into the database: as it was, as it will be, and what the caller said.
package struct PendingChange: Sendable {
    package enum Kind: Sendable { case insert, update }

    package let kind: Kind
    package let before: Record?
    package var after: Record
    /// The fields the caller gave a value for.
    package var given: Set<FieldID> = []
    /// The item of the request, for refusals with its path.
    package let path: JSONPath
    /// A discount on a whole document in percent, of a sum that is known when its lines are.
    var discountPercentage: Double?
    /// Values of the caller's own in external fields; nothing where the caller has none any more.
    var externalValues: [FieldID: String?] = [:]
    /// Tag names to hold, when the caller gave any.
    package var tags: [String]?
    /// What the caller said about fields that hold rows, and the same once it is checked.
    var rowEdits: [RowEdits] = []
    package var rows: [RowChanges] = []
    /// What the caller said about file fields, and the same once it is checked.
    package var files: [FileEdits] = []
    var resolvedFiles: [FileEdits.Resolved] = []
    /// What the search index will hold of it, where that was collected before the write.
    var draftedGrams: SearchIndex.Drafted?

    package func gave(_ apiName: String) -> Bool {
        after.module.field(apiName).map { given.contains($0.id) } ?? false
    }
}

/// Something that must hold, or must follow, whenever a record changes. Runs inside the write; cannot wait.
package protocol RecordRule: Sendable {
    func concerns(_ module: Module) -> Bool
    /// The rule with what it must know about the changes of a batch, read in one go.
    func prepared(for changes: [PendingChange], _ scope: WriteScope) throws -> any RecordRule
    /// Completes or refuses one change.
    func before(_ change: inout PendingChange, _ scope: WriteScope) throws
    /// Follows up on the changes of a batch, once they are in the tables.
    func after(_ changes: [PendingChange], _ scope: WriteScope) throws
}

extension RecordRule {
    package func prepared(for changes: [PendingChange], _ scope: WriteScope) throws -> any RecordRule { self }
    package func before(_ change: inout PendingChange, _ scope: WriteScope) throws {}
    package func after(_ changes: [PendingChange], _ scope: WriteScope) throws {}
}
