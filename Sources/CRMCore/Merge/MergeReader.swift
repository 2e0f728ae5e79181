import Metadata
import SQLStore
import Wire

/// Reads a merge body against the rows it names, in the order of checks that `merge.md` ("Validation order") fixes.
/// Pure: what the database must say is handed in, so that each rule is a unit test.
package struct MergeReader {
    let catalog: Catalog
    let access: AccessPolicy
    let module: Module
    /// The merge whose hold on the records is our own: a scheduled one that now runs.
    let holder: RecordID?

    package init(_ catalog: Catalog, _ access: AccessPolicy, _ module: Module, holder: RecordID? = nil) {
        self.catalog = catalog
        self.access = access
        self.module = module
        self.holder = holder
    }

    /// The outermost shape: exactly one merge object (rules 3, 4, 5). Needs no database.
    package static func mergeObject(_ body: JSONCursor) throws(MergeRefusal) -> JSONCursor {
        guard case .object = body.value else { throw .top(.wrongType("jsonobject", at: body.path)) }
        let path = body.path.appending("merge")
        guard let merge = body.optional("merge"), !merge.value.isNull, merge.value != .array([]) else {
            throw .top(.missing("merge", at: body.path))
        }
        guard case .array(let elements) = merge.value else { throw .top(.wrongType("jsonarray", at: path)) }
        guard elements.count == 1 else {
            throw .top(
                Rejection(
                    .invalidData, message: "The merge JSON array has reached its limit", .apiName("merge"), .jsonPath(path),
                    .maximumLength(1)))
        }
        return JSONCursor(elements[0], at: path.appending(0))
    }

    /// The ids worth loading: whatever reads as one. Checks come later, in their order.
    package static func childIDs(_ merge: JSONCursor) -> [RecordID] {
        (merge.value["data"]?.array ?? []).prefix(2).compactMap { $0["id"]?.looseInt64.map(RecordID.init(raw:)) }
    }

    /// Whether a field that holds files is named anywhere; then what the records hold must be read.
    static func namesFiles(_ merge: JSONCursor, _ module: Module) -> Bool {
        let lists = (merge.value["data"]?.array ?? []).map { $0["_fields"] } + [merge.value["master_record_fields"]]
        return lists.contains { list in
            (list?.array ?? []).contains { $0["api_name"]?.string.flatMap { module.field($0) }?.holdsFiles ?? false }
        }
    }

    package func read(_ merge: JSONCursor, master masterID: RecordID, rows: LoadedRows, files: FieldFiles.Held = [:])
        throws(MergeRefusal) -> MergeRequest
    {
        guard let master = rows[masterID] else {
            let unknown = Rejection(.invalidData, message: "Master record id is not available", .resourcePathIndex(1))
            throw .top(rows.refusal(of: masterID, else: unknown))
        }
        do throws(Rejection) { try access.require(.edit, module) } catch { throw .top(error) }
        if let message = forbiddingState(master) {
            throw .top(Rejection(.notAllowed, message: message, .apiName("record"), .resourcePathIndex(1)))
        }
        let items = try childItems(merge)
        var children: [Record] = []
        for item in items { children.append(try child(item, master: masterID, earlier: children, rows)) }
        var names = NamedFields(module: module, access: access, master: master, children: children, files: files)
        for (index, item) in items.enumerated() { try names.read(item.optional("_fields"), from: .child(index)) }
        try names.read(merge.optional("master_record_fields"), from: .master)
        try names.checkReportingLine()
        try names.files.check()
        try names.checkMandatory()
        return MergeRequest(
            master: master, children: children, sources: names.sources, tagSource: names.tagSource, paths: names.paths,
            files: names.files.chosen)
    }

    private func childItems(_ merge: JSONCursor) throws(MergeRefusal) -> [JSONCursor] {
        guard case .object = merge.value else { throw .wrapped(.wrongType("jsonobject", at: merge.path)) }
        let path = merge.path.appending("data")
        guard let data = merge.optional("data"), !data.value.isNull, data.value != .array([]) else {
            throw .wrapped(
                Rejection(
                    .invalidData, message: "Atleast one child record id is required to be merged", .apiName("data"), .jsonPath(path),
                    .minimumLength(1)))
        }
        guard case .array(let elements) = data.value else { throw .wrapped(.wrongType("jsonarray", at: path)) }
        guard elements.count <= 2 else {
            throw .wrapped(
                Rejection(
                    .invalidData, message: "The data JSON object has reached its limit", .apiName("data"), .jsonPath(path),
                    .maximumLength(2)))
        }
        return elements.enumerated().map { JSONCursor($1, at: path.appending($0)) }
    }

    /// Rules 8, 11, 12, the right to delete, 13, 14, 15 for one child.
    private func child(_ item: JSONCursor, master: RecordID, earlier: [Record], _ rows: LoadedRows) throws(MergeRefusal) -> Record {
        guard case .object = item.value else { throw .wrapped(.wrongType("jsonobject", at: item.path)) }
        let path = item.path.appending("id")
        guard let given = item.optional("id"), !given.value.isNull, given.value != .string("") else {
            throw .wrapped(Rejection(.mandatoryNotFound, message: "The ID of the child record is empty", .apiName("id"), .jsonPath(path)))
        }
        switch given.value {
        case .string(let text) where text.utf8.count > 50: throw .wrapped(.tooLong(50, at: path))
        case .string, .number: break
        default: throw .wrapped(.wrongType("bigint", at: path))
        }
        let id = given.value.looseInt64.map(RecordID.init(raw:))
        if let id, id == master || earlier.contains(where: { $0.id == id }) {
            throw .wrapped(.duplicate(at: path, message: "Similar ID is already given for merging"))
        }
        guard let id else { throw .wrapped(.unknownRecord(at: path)) }
        guard let row = rows[id] else { throw .wrapped(rows.refusal(of: id, .delete, else: .unknownRecord(at: path))) }
        do throws(Rejection) { try access.require(.delete, module) } catch { throw .top(error) }
        guard rows.grants(.delete, id) else { throw .wrapped(rows.refusal(of: id, .delete, else: .unknownRecord(at: path))) }
        if let message = forbiddingState(row) { throw .wrapped(.notAllowed(at: path, message: message)) }
        return row
    }

    /// Rules 13, 14 and 15; `nil` when the record may be merged.
    func forbiddingState(_ record: Record) -> String? {
        if let held = record.heldByMerge, held != holder { return "This record id is not allowed to be merged" }
        if record["Locked__s"].integer == 1 || record["Converted__s"].integer == 1 { return "Record is not allowed for merging" }
        if module.apiName == "Deals", !Pipelines(catalog).isOpen(record) { return "Only Open Deals can be merged" }
        return nil
    }
}
