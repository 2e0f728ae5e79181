import Metadata
import SQLStore
import Wire

/// The fields a merge body names, read list by list (rules 5, 9, 10, 16 to 20, 27 and 28; files in `NamedFiles`).
struct NamedFields {
    /// How many fields one record may name (`merge.md` §1).
    private static let limit = 100

    let module: Module
    let access: AccessPolicy
    let master: Record
    let children: [Record]
    private(set) var sources: [FieldID: MergeRequest.Source] = [:]
    private(set) var tagSource: MergeRequest.Source?
    private(set) var paths: [FieldID: JSONPath] = [:]
    private(set) var files: NamedFiles

    init(module: Module, access: AccessPolicy, master: Record, children: [Record], files: FieldFiles.Held = [:]) {
        self.module = module
        self.access = access
        self.master = master
        self.children = children
        self.files = NamedFiles(master: master, children: children, held: files)
    }

    /// An absent, null or empty list names nothing.
    mutating func read(_ list: JSONCursor?, from source: MergeRequest.Source) throws(MergeRefusal) {
        guard let list, !list.value.isNull else { return }
        guard case .array(let elements) = list.value else { throw .wrapped(.wrongType("jsonarray", at: list.path)) }
        if elements.count > Self.limit { throw .wrapped(.tooLong(Self.limit, at: list.path)) }
        for (index, element) in elements.enumerated() { try read(JSONCursor(element, at: list.path.appending(index)), source) }
    }

    private mutating func read(_ entry: JSONCursor, _ source: MergeRequest.Source) throws(MergeRefusal) {
        guard case .object = entry.value else { throw .wrapped(.wrongType("jsonobject", at: entry.path)) }
        let path = entry.path.appending("api_name")
        guard let given = entry.optional("api_name"), !given.value.isNull, given.value != .string("") else {
            let list = source == .master ? "merge" : "field"
            throw .wrapped(
                Rejection(
                    .mandatoryNotFound, message: "The API names in the \(list) JSON array cannot be empty", .apiName("api_name"),
                    .jsonPath(path)))
        }
        guard let name = given.value.string else { throw .wrapped(.wrongType("text", at: path)) }
        guard name.count <= 100 else { throw .wrapped(.tooLong(100, at: path)) }
        guard let field = module.field(name), access.right(on: field) != .hidden else {
            throw .wrapped(.invalid(at: path, message: "the field api name given seems to be invalid"))
        }
        if access.right(on: field) == .readOnly { throw .wrapped(.readOnlyField(at: path)) }
        guard field.holdsFiles || isMergeable(field) else {
            throw .wrapped(.notAllowed(at: path, message: "the field cannot be chosen in a merge"))
        }
        try checkDeal(field, source, path)
        if field.holdsFiles { return try files.read(entry, field, source, path) }
        guard sources[field.id] == nil else {
            throw .wrapped(.duplicate(at: path, message: "Field has already been mentioned for other record in merge"))
        }
        sources[field.id] = source
        paths[field.id] = path
        if field.apiName == "Tag" { tagSource = source }
    }

    /// Rule 28: what the system sets cannot be chosen.
    private func isMergeable(_ field: Field) -> Bool {
        if field.apiName == "Tag" || field.type.dataType == "subform" { return true }
        if ["Layout", "Full_Name", "Last_Activity_Time"].contains(field.apiName) { return false }
        return field.settable && !field.columns.isEmpty && field.type.dataType != "autonumber"
            // Follow from the stage; refused with their own message.
            || (module.apiName == "Deals" && ["Probability", "Expected_Revenue"].contains(field.apiName))
    }

    /// Rules 17, 18 and 19.
    private func checkDeal(_ field: Field, _ source: MergeRequest.Source, _ path: JSONPath) throws(MergeRefusal) {
        guard module.apiName == "Deals" else { return }
        if ["Probability", "Expected_Revenue"].contains(field.apiName) {
            throw .wrapped(
                .notAllowed(
                    at: path, message: "Probability and Expected Revenue fields will be automatically populated based on chosen Stage"))
        }
        guard case .child(let index) = source else { return }
        if field.apiName == "Closing_Date" {
            throw .wrapped(.notAllowed(at: path, message: "Closing date will be automatically populated based on master record"))
        }
        if field.apiName == "Stage", children[index]["Pipeline"] != master["Pipeline"] {
            throw .wrapped(.notAllowed(at: path, message: "Stage field will be automatically populated based on chosen Pipeline"))
        }
    }

    /// Rule 20: a contact's superior and its account belong together.
    func checkReportingLine() throws(MergeRefusal) {
        guard module.apiName == "Contacts", let superior = module.field("Reporting_To"), let account = module.field("Account_Name") else {
            return
        }
        let from = sources[superior.id]
        let accountFrom = sources[account.id]
        let superiorFromChild = from.map { $0 != .master } ?? false
        let accountFromChild = accountFrom.map { $0 != .master } ?? false
        let agree = from == accountFrom || (from == nil && accountFromChild) || (!superiorFromChild && !accountFromChild)
        guard !agree else { return }
        let path = (superiorFromChild ? paths[superior.id] : paths[account.id]) ?? JSONPath()
        throw .wrapped(.invalid(at: path, message: "Reporting_To and Account_Name should belong to the same record"))
    }

    /// A mandatory field may not be taken from a child that has none (`merge.md` §4).
    func checkMandatory() throws(MergeRefusal) {
        for field in module.fields where field.systemMandatory && !field.columns.isEmpty {
            guard case .child(let index) = sources[field.id], children[index][field].isNull, let path = paths[field.id] else { continue }
            throw .wrapped(Rejection(.mandatoryNotFound, .apiName(field.apiName), .jsonPath(path)))
        }
    }
}
