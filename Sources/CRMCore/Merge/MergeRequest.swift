import Metadata
import SQLStore
import Wire

/// A merge that has passed every check of the contract: who survives, who goes, and whose value each named field takes.
package struct MergeRequest: Sendable, Equatable {
    /// Where a named field's value comes from.
    package enum Source: Sendable, Hashable {
        case master
        case child(Int)
    }

    package let master: Record
    package let children: [Record]
    /// Fields named by the caller. What is not named keeps the master's value.
    package let sources: [FieldID: Source]
    /// Values that no single record gives, such as the union of choices; they come from a survivorship policy.
    package let values: [FieldID: [SQLValue]]
    /// Whether the caller named a record whose tags alone shall stay; otherwise all are united.
    package let tagSource: Source?
    /// Where in the body each field was named, for refusals that need the database.
    package let paths: [FieldID: JSONPath]
    /// The files the master shall hold in each file field that was named, in order.
    package let files: [FieldID: [RecordID]]

    package init(
        master: Record, children: [Record], sources: [FieldID: Source] = [:], values: [FieldID: [SQLValue]] = [:], tagSource: Source? = nil,
        paths: [FieldID: JSONPath] = [:], files: [FieldID: [RecordID]] = [:]
    ) {
        self.master = master
        self.children = children
        self.sources = sources
        self.values = values
        self.tagSource = tagSource
        self.paths = paths
        self.files = files
    }

    /// What the lookups taken from the children point at.
    var takenLookups: [(module: ModuleID, id: Int64)] {
        module.fields.flatMap { field -> [(module: ModuleID, id: Int64)] in
            guard field.isRecordLookup, case .child(let index) = sources[field.id] else { return [] }
            return children[index].target(of: field).map { [$0] } ?? []
        }
    }

    package var module: Module { master.module }
    package var participants: [Record] { [master] + children }
    var succession: Succession { Succession(heir: Holder(master), leavers: children.map(Holder.init)) }
}
