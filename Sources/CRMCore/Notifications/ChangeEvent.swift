import Metadata
import SQLStore
import Wire

/// What channels may be told of one record: from an entry of the change log, or because of a record that points at it.
struct ChangeEvent {
    let sequence: Int64
    let at: Instant
    let module: Module
    let record: RecordID
    let operation: ChangeOperation
    /// Without those that every change sets.
    let fields: [Field]
    /// Told only to channels that asked for what happens around a record.
    let isRelated: Bool

    /// `nil` for what is no news of a record that can be watched.
    init?(_ row: TimelineRow, _ catalog: Catalog) {
        // What a merge does with territories is part of the merge.
        if row.kind == .territories, row.origin == Origin.merge.rawValue { return nil }
        guard let module = catalog.module(id: row.module), Channel.supports(module), let operation = Self.operation(row.kind) else {
            return nil
        }
        sequence = row.sequence
        at = row.at
        self.module = module
        record = row.record
        self.operation = operation
        fields = operation == .update ? Self.fields(row, module) : []
        isRelated = false
    }

    init(around target: (module: Module, record: RecordID), _ row: TimelineRow) {
        sequence = row.sequence
        at = row.at
        module = target.module
        record = target.record
        operation = .update
        fields = []
        isRelated = true
    }

    private static func operation(_ kind: ChangeLog.Kind?) -> ChangeOperation? {
        switch kind {
        case .added, .restored: .insert
        case .updated, .merged, .unmerged, .converted, .tagged, .files, .territories: .update
        case .deleted, .mergedAway: .delete
        case .repoint, .carriedOver, .linkDropped, .linkFilled, .shared, .addedByMerge, .participantsMoved, .process, .portalUser,
            .cadences,
            .attached, .detached,
            .mailed, .mailMoved, .mailLinkMoved, nil:
            nil
        }
    }

    private static func fields(_ row: TimelineRow, _ module: Module) -> [Field] {
        switch row.kind {
        case .tagged: [module.field("Tag")].compactMap(\.self)
        case .territories: module.fields.filter { $0.type.cell == .territories }
        case .files: [row.field.flatMap { module.field($0) }].compactMap(\.self)
        default: module.fields.filter { !TimelineRow.stamps.contains($0.apiName) && row.values(of: $0) != nil }
        }
    }
}
