import Metadata
import Wire

/// What a bulk write was asked, with its columns resolved against the headers of its files, in a form the job's row can keep.
package struct BulkWriteRequest: Sendable {
    /// Where the value of a field comes from.
    package struct Mapping: Sendable {
        package let field: String
        /// The column of the file; `nil` when the default is all there is.
        package let index: Int?
        package let format: String?
        package let findBy: String?
        package let standard: JSONValue?
        /// For rows that hang on those of the first file: its column with the same value.
        package let parentIndex: Int?

        package init(
            field: String, index: Int?, format: String? = nil, findBy: String? = nil, standard: JSONValue? = nil, parentIndex: Int? = nil
        ) {
            self.field = field
            self.index = index
            self.format = format
            self.findBy = findBy
            self.standard = standard
            self.parentIndex = parentIndex
        }
    }

    /// One file and the module it goes to.
    package struct Resource: Sendable {
        package let module: ModuleID
        /// The upload, and the file inside.
        package let file: RecordID
        package let name: String
        package let head: BulkFile.Head
        package let findBy: String?
        package let mappings: [Mapping]

        package init(module: ModuleID, file: RecordID, name: String, head: BulkFile.Head, findBy: String?, mappings: [Mapping]) {
            self.module = module
            self.file = file
            self.name = name
            self.head = head
            self.findBy = findBy
            self.mappings = mappings
        }
    }

    package let operation: BulkJob.Operation
    /// Empty cells leave fields as they are, instead of emptying them.
    package let ignoresEmpty: Bool
    package let callback: Callback?
    package let resources: [Resource]

    package init(operation: BulkJob.Operation, ignoresEmpty: Bool, callback: Callback?, resources: [Resource]) {
        self.operation = operation
        self.ignoresEmpty = ignoresEmpty
        self.callback = callback
        self.resources = resources
    }

    package init(kept: JSONValue) {
        self.init(
            operation: BulkJob.Operation(rawValue: kept["operation"]?.string ?? "") ?? .insert,
            ignoresEmpty: kept["ignore_empty"]?.bool ?? false, callback: Callback(kept["callback"]),
            resources: (kept["resources"]?.array ?? []).map(Resource.init(kept:)))
    }

    package var kept: JSONValue {
        [
            "operation": .string(operation.rawValue), "ignore_empty": .bool(ignoresEmpty),
            "callback": callback.map { ["url": .string($0.url)] } ?? .null, "resources": .array(resources.map(\.kept)),
        ]
    }
}

extension BulkWriteRequest.Resource {
    fileprivate init(kept: JSONValue) {
        self.init(
            module: ModuleID(raw: kept["module"]?.looseInt64 ?? 0), file: RecordID(raw: kept["file"]?.looseInt64 ?? 0),
            name: kept["name"]?.string ?? "",
            head: .init(
                header: (kept["header"]?.array ?? []).map { $0.string ?? "" },
                delimiter: kept["delimiter"]?.int64.flatMap(UInt8.init(exactly:)) ?? 0x2C,
                charset: Charset(rawValue: kept["charset"]?.string ?? "") ?? .utf8),
            findBy: kept["find_by"]?.string, mappings: (kept["mappings"]?.array ?? []).map(BulkWriteRequest.Mapping.init(kept:)))
    }

    fileprivate var kept: JSONValue {
        [
            "module": .string(String(module.raw)), "file": .id(file), "name": .string(name),
            "header": .array(head.header.map(JSONValue.string)), "delimiter": .integer(Int(head.delimiter)),
            "charset": .string(head.charset.rawValue), "find_by": findBy.map(JSONValue.string) ?? .null,
            "mappings": .array(mappings.map(\.kept)),
        ]
    }
}

extension BulkWriteRequest.Mapping {
    fileprivate init(kept: JSONValue) {
        let standard = kept["default"] ?? .null
        self.init(
            field: kept["field"]?.string ?? "", index: kept["index"]?.int64.map(Int.init), format: kept["format"]?.string,
            findBy: kept["find_by"]?.string, standard: standard.isNull ? Optional.none : standard,
            parentIndex: kept["parent"]?.int64.map(Int.init))
    }

    fileprivate var kept: JSONValue {
        [
            "field": .string(field), "index": index.map { .integer($0) } ?? .null, "format": format.map(JSONValue.string) ?? .null,
            "find_by": findBy.map(JSONValue.string) ?? .null, "default": standard ?? .null,
            "parent": parentIndex.map { .integer($0) } ?? .null,
        ]
    }
}
