import CRMCore
import Metadata
import Wire

/// A settings family as data: its name and place on the wire, what may be done with it, and what its items say. Endpoints,
/// storage, validation, paging and envelope follow from it; behaviour beyond that is its `rule`.
package struct ResourceDescriptor: Sendable {
    /// What may be done, each with the row of the directory that asks for it.
    package enum Verb: Hashable, Sendable { case list, get, create, updateMany, updateOne, deleteMany, deleteOne }

    /// The wrapper of its answers and bodies.
    package let name: String
    /// The collection; one item stands under it by id.
    package let path: String
    /// Such as `ZohoCRM.settings.variables`; the operation follows it.
    package let scope: String
    package let kind: Document.Kind
    package let verbs: [Verb: String]
    /// The texts of successes.
    package let messages: [Verb: String]
    package let attributes: [Attribute]
    /// The profile's right to change items; reading is free.
    package let permission: String?
    package let perCall: Int
    /// Whether there is one item only, which stands at `path` itself as an object: `get`, `create` and `updateOne` are what may be done.
    package let isSingle: Bool
    package let rule: any ResourceRule

    package init(
        _ name: String, path: String, scope: String, kind: Document.Kind, verbs: [Verb: String], messages: [Verb: String] = [:],
        permission: String?,
        perCall: Int = 100, isSingle: Bool = false, rule: any ResourceRule, attributes: [Attribute]
    ) {
        self.name = name
        self.path = path
        self.scope = scope
        self.kind = kind
        self.verbs = verbs
        self.messages = messages
        self.attributes = attributes
        self.permission = permission
        self.perCall = perCall
        self.isSingle = isSingle
        self.rule = rule
    }
}

/// One key of a family's items.
package struct Attribute: Sendable {
    package enum Kind: Sendable {
        /// Plain ones take letters, digits and blanks only.
        case text(max: Int, plain: Bool)
        case flag
        case choice([String], refusal: ErrorCode)
        /// An item of another family, by id, by `{id}`, or by one of its names. Stored with id and that name.
        case item(Document.Kind, named: String)
        /// Read by the family's rule.
        case custom
    }

    package let name: String
    package let kind: Kind
    /// The refusal of an item that is made without it.
    package let missing: ErrorCode?
    package let unique: Bool
    /// Set at birth, and ignored afterwards.
    package let fixed: Bool
    package let initial: JSONValue

    package init(
        _ name: String, _ kind: Kind, missing: ErrorCode? = nil, unique: Bool = false, fixed: Bool = false, initial: JSONValue = .null
    ) {
        self.name = name
        self.kind = kind
        self.missing = missing
        self.unique = unique
        self.fixed = fixed
        self.initial = initial
    }
}

/// Where in a family a request works: the items under one parent, and what else its parameters said.
package struct ResourcePlace: Sendable {
    package var parent: RecordID?
    package var ids: [String: RecordID] = [:]
    package var texts: [String: String] = [:]

    package init(parent: RecordID? = nil) { self.parent = parent }
}

/// An item on its way into storage.
package struct ResourceDraft {
    package let item: JSONCursor
    package let existing: Document?
    package let id: RecordID
    package var body: JSONValue
}

/// What a family does beyond keeping its items.
package protocol ResourceRule: Sendable {
    /// Reads the parameters; refuses a call that lacks one.
    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace
    func contains(_ document: Document, _ place: ResourcePlace) -> Bool
    /// Completes or refuses an item that is made or changed, and lets follow what must.
    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws
    /// Refuses the removal, or does what goes with it.
    func remove(_ document: Document, _ place: ResourcePlace, _ scope: MetadataScope) throws
    /// The answer's object, made of the id and the stored body.
    func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue
    /// The same, for what depends on where and by whom it is asked.
    func show(_ answer: JSONValue, of document: Document, single: Bool, _ place: ResourcePlace, _ catalog: Catalog) -> JSONValue
    /// What a list answers: a page of the items, and what stands beside them.
    func page(_ items: [JSONValue], _ place: ResourcePlace, _ catalog: Catalog) -> (items: [JSONValue], more: [JSONValue.Member])
    /// The item of a family of one while nothing is stored.
    var initial: Document? { get }
    /// What a success says of the item.
    func details(_ id: RecordID) -> JSONValue
}

extension ResourceRule {
    package func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection)
        -> ResourcePlace
    { ResourcePlace() }
    package func contains(_ document: Document, _ place: ResourcePlace) -> Bool { document.parent == place.parent }
    package func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {}
    package func remove(_ document: Document, _ place: ResourcePlace, _ scope: MetadataScope) throws {}
    package func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue { answer }
    package func show(_ answer: JSONValue, of document: Document, single: Bool, _ place: ResourcePlace, _ catalog: Catalog) -> JSONValue {
        show(answer, of: document, single: single, catalog)
    }
    package func page(_ items: [JSONValue], _ place: ResourcePlace, _ catalog: Catalog) -> (items: [JSONValue], more: [JSONValue.Member]) {
        (items, [])
    }
    package var initial: Document? { nil }
    package func details(_ id: RecordID) -> JSONValue { ["id": .id(id)] }
}
