import CRMCore
import HTTPShell
import Metadata
import Wire

/// Brings a bulk write and its files together: which file is whose, and which column is which field.
struct BulkWriteFiles {
    let body: BulkWriteBody
    let context: RequestContext

    func request() async throws -> BulkWriteRequest {
        var resources: [BulkWriteRequest.Resource] = []
        for resource in body.resources {
            let file = try await file(of: resource)
            let head = try await head(of: file, resource)
            guard head.header.count <= BulkWriteBody.columnLimit else { throw Rejection.tooManyColumns(at: resource.path) }
            let mappings = try resource.mappings.map { given throws(Rejection) in try check(given, head) } ?? named(head, resource)
            try checkMandatory(mappings, resource)
            try await checkDefaults(resource)
            resources.append(
                .init(
                    module: resource.module.id, file: resource.file, name: file.name, head: head, findBy: resource.findBy,
                    mappings: mappings))
        }
        try checkParents(resources)
        return BulkWriteRequest(
            operation: body.operation, ignoresEmpty: body.ignoresEmpty, callback: body.callback, resources: resources)
    }

    private func file(of resource: BulkWriteBody.Resource) async throws -> BulkFile {
        let path = resource.path.appending("file_id")
        guard let upload = try await context.services.files.file(resource.file, of: context.access.user) else {
            throw Rejection.noUpload(at: path)
        }
        let zip: ZipReader
        do {
            zip = try await BulkFile.zip(upload, context.services.files)
        } catch is ZipFailure {
            throw Rejection.noZip
        }
        if let name = resource.fileName {
            guard let file = BulkFile(zip, named: name) else {
                throw Rejection(
                    .fileNotSupported, .apiName("file_names"), .jsonPath(resource.path.appending("file_names")),
                    .other("reason", "the zip has no such file"))
            }
            return file
        }
        guard zip.files.count == 1, let only = zip.files.first.flatMap({ BulkFile(zip, named: $0.name) }) else {
            throw Rejection(
                .fileNotSupported, .apiName("file_id"), .jsonPath(path),
                .other("reason", .string("the zip has \(zip.files.count) files, and one is expected")))
        }
        return only
    }

    private func head(of file: BulkFile, _ resource: BulkWriteBody.Resource) async throws -> BulkFile.Head {
        let path = resource.path.appending("file_id")
        do {
            return try await file.head(body.charset)
        } catch let failure as ZipFailure {
            throw Rejection(.fileNotSupported, .jsonPath(path), .other("reason", .string(failure.description)))
        } catch let failure as CSVFailure {
            throw Rejection(.fileNotSupported, .jsonPath(path), .other("reason", .string(failure.description)))
        }
    }

    private func check(_ given: [BulkWriteBody.Mapping], _ head: BulkFile.Head) throws(Rejection) -> [BulkWriteRequest.Mapping] {
        var mappings: [BulkWriteRequest.Mapping] = []
        for mapping in given {
            if let index = mapping.index, index >= head.header.count { throw .noColumn(at: mapping.path.appending("index")) }
            mappings.append(
                .init(
                    field: mapping.field.apiName, index: mapping.index, format: mapping.format, findBy: mapping.findBy,
                    standard: mapping.standard, parentIndex: mapping.parentIndex))
        }
        return mappings
    }

    /// Without mappings the header names the fields: `Last_Name`, or `Account_Name.id` for lookups. Other columns are left out.
    private func named(_ head: BulkFile.Head, _ resource: BulkWriteBody.Resource) throws(Rejection) -> [BulkWriteRequest.Mapping] {
        var mappings: [BulkWriteRequest.Mapping] = []
        for (index, title) in head.header.enumerated() {
            let parts = title.split(separator: ".", maxSplits: 1).map(String.init)
            guard let name = parts.first, let field = resource.module.field(name), field.isWrittenInBulk else { continue }
            if mappings.contains(where: { $0.field == field.apiName && head.header[$0.index ?? index] == title }) {
                throw Rejection(
                    .duplicateData, message: "two columns of the file have the same name", .apiName("file_id"),
                    .jsonPath(resource.path.appending("file_id")), .other("column", .string(String(title.prefix(100)))))
            }
            guard !mappings.contains(where: { $0.field == field.apiName }) else { continue }
            let isLookup = field.isRecordLookup || field.type.cell == .user
            guard parts.count == 1 || isLookup else { continue }
            let findBy = isLookup ? (parts.count == 2 ? parts[1] : "id") : nil
            if let findBy, !field.mayBeFound(by: findBy, context.catalog) { throw .noField(title, at: resource.path.appending("file_id")) }
            mappings.append(.init(field: field.apiName, index: index, findBy: findBy))
        }
        if mappings.isEmpty {
            throw Rejection(
                .invalidField, message: "no column of the file is named like a field", .jsonPath(resource.path.appending("field_mappings")),
                .other("columns", .array(head.header.prefix(20).map(JSONValue.string))))
        }
        return mappings
    }

    /// What new records need, and what rows are found by.
    private func checkMandatory(_ mappings: [BulkWriteRequest.Mapping], _ resource: BulkWriteBody.Resource) throws(Rejection) {
        let mapped = Set(mappings.map(\.field))
        if let findBy = resource.findBy, !mappings.contains(where: { $0.field == findBy && $0.index != nil }) {
            throw Rejection(.mandatoryFieldsNotMapped, .apiName(findBy), .other("fields", .array([.string(findBy)])))
        }
        if let (_, rows) = BulkOwner.of(resource.module, context.catalog) {
            guard !mapped.contains(rows.parent.apiName) else { return }
            // What else a row needs may come from elsewhere, as a line's price does from its product.
            throw Rejection(
                .mandatoryFieldsNotMapped, .apiName(rows.parent.apiName), .other("fields", .array([.string(rows.parent.apiName)])))
        }
        guard body.operation != .update else { return }
        var missing = resource.module.fields.filter {
            $0.systemMandatory && !$0.columns.isEmpty && $0.creatable && !mapped.contains($0.apiName)
        }
        .map(\.apiName)
        let children = Set(body.resources.dropFirst().map(\.module.id))
        if body.operation == .insert {
            missing += resource.module.rowFields(context.catalog).filter { $0.field.systemMandatory && !children.contains($0.module.id) }
                .map(\.field.apiName)
        }
        guard missing.isEmpty else {
            throw Rejection(
                .mandatoryFieldsNotMapped, message: "All mandatory fields are not mapped for the layout", .apiName(missing[0]),
                .other("fields", .array(missing.map(JSONValue.string))))
        }
    }

    /// The records that defaults of lookups name are there.
    private func checkDefaults(_ resource: BulkWriteBody.Resource) async throws {
        // At most one question for each column.
        for mapping in resource.mappings ?? [] where mapping.field.isRecordLookup {
            guard let standard = mapping.standard, let target = mapping.field.target.flatMap({ context.catalog.module(id: $0) }),
                let id = (standard["id"] ?? standard).looseInt64
            else { continue }
            guard target.table != nil, try await context.records.exists(RecordID(raw: id), in: target) else {
                throw Rejection.invalid(at: mapping.path.appending("default_value").appending("value"))
            }
        }
    }

    private func checkParents(_ resources: [BulkWriteRequest.Resource]) throws(Rejection) {
        guard let width = resources.first?.head.header.count else { return }
        for (resource, given) in zip(resources, body.resources).dropFirst() {
            for mapping in resource.mappings { if let index = mapping.parentIndex, index >= width { throw .noColumn(at: given.path) } }
        }
    }
}
