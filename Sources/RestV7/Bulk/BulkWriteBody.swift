import CRMCore
import HTTPShell
import Metadata
import Wire

/// The body of a bulk write: its shape, and every name that no file is needed to check. Contract: bulk-write, 246.
struct BulkWriteBody: Sendable {
    struct Mapping: Sendable {
        let field: Field
        let index: Int?
        let format: String?
        let findBy: String?
        let standard: JSONValue?
        let parentIndex: Int?
        let path: JSONPath
    }

    struct Resource: Sendable {
        let module: Module
        let file: RecordID
        let fileName: String?
        let findBy: String?
        let mappings: [Mapping]?
        let path: JSONPath
    }

    static let columnLimit = 200
    /// Files of one job: a parent's, and one for each of its children.
    private static let resourceLimit = 20

    let operation: BulkJob.Operation
    let charset: Charset?
    let ignoresEmpty: Bool
    let callback: Callback?
    let resources: [Resource]

    init(_ body: JSONCursor, _ context: RequestContext) throws(Rejection) {
        let word = try Self.required("operation", in: body)
        switch try word.string() {
        case "insert": operation = .insert
        case "update": operation = .update
        case "upsert": operation = .upsert
        default: throw .unsupported(["insert", "update", "upsert"], at: word.path)
        }
        callback = try CallbackBody.read(body)
        ignoresEmpty = try Self.given("ignore_empty", in: body)?.bool() ?? false
        if let name = try Self.given("character_encoding", in: body), try !name.string().isEmpty {
            guard let known = Charset(named: try name.string()) else {
                throw .unsupported(Charset.supported.map(\.rawValue), at: name.path)
            }
            charset = known
        } else {
            charset = nil
        }
        var resources: [Resource] = []
        for element in try Self.required("resource", in: body).elements(1...Self.resourceLimit) {
            let resource = try Self.resource(element, operation, context)
            if resources.contains(where: { $0.module.id == resource.module.id }) {
                throw Rejection(.duplicateData, .apiName("module"), .jsonPath(element.path.appending("module")))
            }
            resources.append(resource)
        }
        self.resources = resources
        try checkFamily(context)
    }

    /// This API says of a missing key only that it is missing.
    static func required(_ name: String, in object: JSONCursor) throws(Rejection) -> JSONCursor {
        _ = try object.object()
        guard let found = given(name, in: object) else {
            throw Rejection(
                .mandatoryNotFound, message: "required key \(name) is not found in request body.", .apiName(name),
                .jsonPath(object.path.appending(name)))
        }
        return found
    }

    private static func given(_ name: String, in object: JSONCursor) -> JSONCursor? {
        object.optional(name).flatMap { $0.value.isNull ? nil : $0 }
    }

    private static func resource(_ element: JSONCursor, _ operation: BulkJob.Operation, _ context: RequestContext) throws(Rejection)
        -> Resource
    {
        let type = try required("type", in: element)
        guard try type.string() == "data" else { throw .unsupported(["data"], at: type.path) }
        let named = try required("module", in: element)
        let module = try module(named, context)
        let file = try required("file_id", in: element)
        guard let id = file.value.looseInt64 else { throw .noUpload(at: file.path) }
        var findBy: String?
        if let given = given("find_by", in: element) {
            let name = try given.string()
            guard name == "id" || module.mayFind(by: name) else { throw .noField(name, at: given.path) }
            findBy = name
        }
        if findBy == nil, operation != .insert, BulkOwner.of(module, context.catalog) == nil { _ = try required("find_by", in: element) }
        var mappings: [Mapping]?
        if let given = given("field_mappings", in: element), given.value != .array([]) {
            mappings = try self.mappings(given, module, context)
        }
        return Resource(
            module: module, file: RecordID(raw: id), fileName: try fileName(element), findBy: findBy, mappings: mappings, path: element.path
        )
    }

    private static func fileName(_ element: JSONCursor) throws(Rejection) -> String? {
        guard let names = given("file_names", in: element), names.value != .array([]) else { return nil }
        // Each module has one file.
        return try names.elements(1...1)[0].string(max: 255)
    }

    private static func module(_ named: JSONCursor, _ context: RequestContext) throws(Rejection) -> Module {
        let name = named.value.string ?? named.value["api_name"]?.string ?? ""
        let refusal = Rejection(
            .moduleNotAvailable, message: "Requested module '\(name)' is not available.", .apiName("module"), .jsonPath(named.path))
        let found = named.value.string == nil ? try ModuleReference.read(named, context.catalog) : context.catalog.module(name)
        guard let module = found, module.table != nil else { throw refusal }
        let owner = BulkOwner.of(module, context.catalog)?.owner ?? module
        guard BulkModules.write.contains(owner.apiName) || owner.generatedType == "custom" else { throw refusal }
        try context.requireScope(["CREATE"], on: owner)
        return module
    }

    private static func mappings(_ given: JSONCursor, _ module: Module, _ context: RequestContext) throws(Rejection) -> [Mapping] {
        let elements = try given.elements()
        guard elements.count <= columnLimit else { throw .tooManyColumns(at: given.path) }
        var mappings: [Mapping] = []
        for element in elements {
            let mapping = try self.mapping(element, module, context)
            if mappings.contains(where: { $0.field === mapping.field }) { throw .duplicate(at: element.path.appending("api_name")) }
            if let index = mapping.index, mappings.contains(where: { $0.index == index }) {
                throw .duplicate(at: element.path.appending("index"))
            }
            mappings.append(mapping)
        }
        return mappings
    }

    private static func mapping(_ element: JSONCursor, _ module: Module, _ context: RequestContext) throws(Rejection) -> Mapping {
        let named = try required("api_name", in: element)
        let name = try named.string()
        guard let field = module.field(name), field.isWrittenInBulk else { throw .noField(name, at: named.path) }
        let index = try position("index", in: element)
        let format = try format(of: field, in: element)
        let standard = try given("default_value", in: element).map { value throws(Rejection) in
            try BulkDefault(field: field, module: module, format: format, context: context).read(required("value", in: value))
        }
        if index == nil, standard == nil {
            throw Rejection(
                .mandatoryNotFound, message: "required key index for field \(name) is not found in request body.", .apiName("index"),
                .jsonPath(element.path.appending("index")))
        }
        let parent = try position("parent_column_index", in: element)
        let findBy = try given("find_by", in: element)?.string()
        if index != nil, parent == nil, field.isRecordLookup || field.type.cell == .user {
            guard let findBy else {
                throw Rejection(
                    .mandatoryNotFound, message: "Required key find_by is not available", .apiName("find_by"),
                    .jsonPath(element.path.appending("find_by")))
            }
            guard field.mayBeFound(by: findBy, context.catalog) else { throw .noField(findBy, at: element.path.appending("find_by")) }
        }
        return Mapping(
            field: field, index: index, format: format, findBy: findBy, standard: standard, parentIndex: parent, path: element.path)
    }

    /// How dates and moments are written, or numbers; of other fields it says nothing.
    private static func format(of field: Field, in element: JSONCursor) throws(Rejection) -> String? {
        guard let given = given("format", in: element) else { return nil }
        let text = try given.string(max: 100)
        guard !text.isEmpty else { return nil }
        let isKnown: Bool
        switch field.plainType.comparison {
        case .date, .instant: isKnown = DatePattern(text) != nil
        case .number: isKnown = NumberPattern(text) != nil
        default: return nil
        }
        guard isKnown else { throw Rejection(.invalidFormat, .apiName("format"), .jsonPath(given.path)) }
        return text
    }

    private static func position(_ name: String, in element: JSONCursor) throws(Rejection) -> Int? {
        guard let given = given(name, in: element) else { return nil }
        let number = try given.integer()
        guard (0..<100_000).contains(number) else { throw .noColumn(at: given.path) }
        return Int(number)
    }

    /// What stands behind the first module hangs on it.
    private func checkFamily(_ context: RequestContext) throws(Rejection) {
        guard let parent = resources.first?.module else { return }
        for child in resources.dropFirst() {
            let path = child.path.appending("module")
            guard let (owner, rows) = BulkOwner.of(child.module, context.catalog), owner.id == parent.id else {
                throw Rejection(
                    .moduleNotAvailable, message: "Requested module '\(child.module.apiName)' is not available.", .apiName("module"),
                    .jsonPath(path))
            }
            guard child.fileName != nil else {
                _ = try Self.required("file_names", in: JSONCursor([:], at: child.path))
                continue
            }
            guard let mappings = child.mappings else {
                _ = try Self.required("field_mappings", in: JSONCursor([:], at: child.path))
                continue
            }
            guard mappings.contains(where: { $0.field === rows.parent && $0.parentIndex != nil && $0.index != nil }) else {
                _ = try Self.required("parent_column_index", in: JSONCursor([:], at: child.path.appending("field_mappings")))
                continue
            }
        }
    }
}

extension Rejection {
    static func noUpload(at path: JSONPath) -> Rejection {
        Rejection(.invalidFileID, message: "improper file id", .apiName("file_id"), .jsonPath(path))
    }
    static func noField(_ name: String, at path: JSONPath) -> Rejection {
        Rejection(.invalidField, message: "invalid mapping. invalid api_name \(name).", .apiName(name), .jsonPath(path))
    }
    static func noColumn(at path: JSONPath) -> Rejection { Rejection(.columnIndexNotFound, .apiName("index"), .jsonPath(path)) }
    static func tooManyColumns(at path: JSONPath) -> Rejection {
        Rejection(.headerLimitExceeded, .jsonPath(path), .other("limit", .integer(BulkWriteBody.columnLimit)))
    }
}

extension Module {
    /// Fields by which rows find their record: unique ones, and the one the system tells duplicates by.
    func mayFind(by name: String) -> Bool {
        guard let field = field(name), !field.columns.isEmpty else { return false }
        return field.unique || field === displayField || (["Leads", "Contacts"].contains(apiName) && name == "Email")
    }
}

extension Field {
    /// Whether a column of a file can hold it: not what lives in rows of its own, nor files, nor what only the system writes.
    var isWrittenInBulk: Bool {
        if ["Tag", "id"].contains(apiName) { return true }
        return (creatable || settable) && !columns.isEmpty && !["profileimage", "formula", "rollup_summary"].contains(type.dataType)
            && !holdsFiles
    }

    /// The names by which the record or person behind a lookup may be given.
    func mayBeFound(by name: String, _ catalog: Catalog) -> Bool {
        if name == "id" { return true }
        if type.cell == .user { return ["email", "full_name", "last_name", "first_name", "alias"].contains(name) }
        guard let other = target.flatMap({ catalog.module(id: $0) })?.field(name), !other.columns.isEmpty else { return false }
        return other.unique || other.body["display_field"]?.bool == true
            || ["text", "email", "phone", "autonumber"].contains(other.type.dataType)
            || other.isRecordLookup
    }
}
