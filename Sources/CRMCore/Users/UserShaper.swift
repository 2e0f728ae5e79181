import Metadata
import Wire

/// Makes and changes users: the fields they may have, and what must hold among them. Contract: users, 115 and 116.
package struct UserShaper {
    private let scope: MetadataScope
    private let roster: UserRoster
    private let caller: User?

    package init(_ scope: MetadataScope) {
        self.scope = scope
        roster = UserRoster(scope.catalog)
        caller = scope.catalog.user(scope.user)
    }

    private var callerIsAdministrator: Bool { caller.map(roster.isAdministrator) ?? false }

    /// A new user may work at once, is invited by mail, and counts as confirmed with the first password.
    package func add(_ item: JSONCursor, origin: String) throws -> RecordID {
        for name in ["last_name", "email", "role", "profile"] { _ = try item.required(name) }
        try roster.requireLicence()
        var body = StandardUser.defaults
        try read(item, into: &body, of: nil)
        body["status"] = "active"
        body["confirm"] = false
        body["type__s"] = "Regular User"
        for (key, value) in [("created_by", scope.actor), ("created_time", scope.time)] { body[key] = value }
        let made = stamped(body)
        let id = try scope.add(.user, nil, made)
        try Invitations.send(to: id, made, origin: origin, scope)
        return id
    }

    /// Invites again whoever has not taken the invitation: when asked to, and when the address changes.
    private func invite(_ user: User, _ item: JSONCursor, _ body: JSONValue, _ origin: String) throws {
        let given = item.optional("reinvite").flatMap { $0.value.isNull ? nil : $0 }
        let isAsked = try given?.bool() ?? false
        if isAsked, user.confirmed { throw Rejection(.invalidRequest, message: "Re-invite is not allowed for a confirmed user") }
        guard !user.confirmed, body["status"] == "active", isAsked || body["email"] != user.body["email"] else { return }
        try Invitations.send(to: RecordID(raw: user.id.raw), body, origin: origin, scope)
    }

    /// `own` says that callers without the right to manage users may change what is theirs alone.
    package func change(_ user: User, _ item: JSONCursor, mayManage: Bool, origin: String) throws {
        guard user.status != "deleted" else { throw Rejection(.cannotUpdateDeletedUser, .id(RecordID(raw: user.id.raw))) }
        guard mayManage || user.id == scope.user else { throw Rejection(.authorizationFailed, status: 403) }
        try requireRank(over: user)
        var body = user.body
        try readStatus(item, of: user, into: &body, mayManage)
        let others = (item.value.members ?? []).filter { !["id", "status"].contains($0.name) }
        if body["status"] != "active", !others.isEmpty {
            throw Rejection.notAllowed(at: item.path, message: "an inactive user can only be activated")
        }
        if !mayManage {
            for name in ["role", "profile", "Reporting_To", "email", "reinvite"] where item.value[name] != nil {
                throw Rejection(.authorizationFailed, status: 403, .apiName(name), .jsonPath(item.path.appending(name)))
            }
        }
        try read(item, into: &body, of: user)
        let changed = stamped(body)
        try scope.replace(RecordID(raw: user.id.raw), body: changed)
        try invite(user, item, changed, origin)
    }

    /// Only administrators touch administrators.
    private func requireRank(over user: User) throws(Rejection) {
        if roster.isAdministrator(user), user.id != scope.user, !callerIsAdministrator {
            throw Rejection(.authorizationFailed, status: 403)
        }
    }

    private func readStatus(_ item: JSONCursor, of user: User, into body: inout JSONValue, _ mayManage: Bool) throws {
        guard let given = item.optional("status"), !given.value.isNull else { return }
        guard let status = given.value.string, ["active", "inactive"].contains(status) else {
            throw Rejection.unsupported(["active", "inactive"], at: given.path)
        }
        guard mayManage else { throw Rejection(.authorizationFailed, status: 403, .apiName("status"), .jsonPath(given.path)) }
        if status == user.status { throw Rejection(status == "active" ? .idAlreadyActive : .idAlreadyDeactivated, .jsonPath(given.path)) }
        if status == "active" {
            try roster.requireLicence()
        } else {
            try refuseLoss(of: user, "Primary contact cannot be deactivated")
            try TokenStore.endSessions(of: user.id, scope.tx)
            try Invitations.withdraw(from: RecordID(raw: user.id.raw), scope.tx)
        }
        body["status"] = .string(status)
    }

    /// Somebody must stay who can let others in.
    private func refuseLoss(of user: User, _ message: String) throws(Rejection) {
        if roster.isPrimaryContact(user) { throw Rejection(.invalidRequest, message: message) }
        if roster.isLastAdministrator(user) { throw Rejection(.invalidRequest, message: "the last administrator is needed") }
    }

    /// The user stays as who it was; nobody signs in as such a one. Its places in territories go to `heir`, who reported to it reports
    /// to `superior`. What it owns stays with it unless it is handed over.
    package func delete(_ user: User, heir: UserID? = nil, superior: UserID? = nil) throws {
        if user.status == "deleted" { throw Rejection(.idAlreadyDeleted, .id(RecordID(raw: user.id.raw))) }
        try requireRank(over: user)
        try refuseLoss(of: user, "Primary contact cannot be deleted")
        var body = user.body
        body["status"] = "deleted"
        try scope.replace(RecordID(raw: user.id.raw), body: stamped(body))
        try TokenStore.endAll(of: user.id, scope.tx)
        try Invitations.withdraw(from: RecordID(raw: user.id.raw), scope.tx)
        try TerritoryPeople.replace(user.id, with: heir, scope)
        try BlueprintUse.follow(leaving: "users", RecordID(raw: user.id.raw), heir: heir.map { RecordID(raw: $0.raw) }, scope)
        for other in scope.catalog.users where other.superior == user.id && other.status != "deleted" {
            var body = other.body
            body["Reporting_To"] = superior.map { ["id": .string(String($0.raw))] } ?? .null
            try scope.replace(RecordID(raw: other.id.raw), body: body)
        }
    }

    private func stamped(_ body: JSONValue) -> JSONValue {
        var body = body
        let first = body["first_name"]?.string ?? ""
        let last = body["last_name"]?.string ?? ""
        body["full_name"] = .string([first, last].filter { !$0.isEmpty }.joined(separator: " "))
        body["Modified_By"] = scope.actor
        body["Modified_Time"] = scope.time
        return body
    }
}

extension UserShaper {
    /// Reads what a request says about the fields users have; keys beyond them, and those the server sets, are not looked at.
    private func read(_ item: JSONCursor, into body: inout JSONValue, of user: User?) throws(Rejection) {
        _ = try item.object()
        try readPlainFields(item, into: &body)
        if let given = present("email", item) { body["email"] = .string(try email(given, of: user)) }
        if let given = present("role", item) { body["role"] = try reference(given, .role) }
        if let given = present("profile", item) { body["profile"] = try profile(given, of: user) }
        if let given = item.optional("Reporting_To") { body["Reporting_To"] = try superior(given, of: user) }
        let settings = UserSettings(item: item, isOwn: user == nil || user?.id == scope.user, isNew: user == nil)
        try settings.read(into: &body)
    }

    private func present(_ name: String, _ item: JSONCursor) -> JSONCursor? {
        item.optional(name).flatMap { $0.value.isNull ? nil : $0 }
    }

    /// Text of every kind, as long as the field allows; null empties it, but for the last name.
    private func readPlainFields(_ item: JSONCursor, into body: inout JSONValue) throws(Rejection) {
        guard let module = scope.catalog.module("Users") else { return }
        for name in UserFields.plain {
            guard let given = item.optional(name), let field = module.field(name) else { continue }
            if given.value.isNull || given.value.string?.isBlank == true {
                if name == "last_name" { throw .missing(name, at: item.path) }
                body[name] = .null
                continue
            }
            body[name] = try field.type.decode(given, field, scope.catalog).json
        }
        if let signature = item.value["signature"]?.string, UserFields.hasOpenScript(signature) {
            throw Rejection(.invalidData, status: 415, .apiName("signature"), .jsonPath(item.path.appending("signature")))
        }
    }

    private func email(_ given: JSONCursor, of user: User?) throws(Rejection) -> String {
        guard let text = given.value.string, text.isEmailAddress, text.unicodeScalars.count <= 100 else {
            throw .wrongType("email", at: given.path)
        }
        guard let user else {
            if roster.holder(of: text) != nil { throw .duplicate(at: given.path) }
            return text
        }
        if text.lowercased() == user.email.lowercased() { return text }
        if user.confirmed { throw Rejection(.emailUpdateNotAllowed, .apiName("email"), .jsonPath(given.path)) }
        if let holder = roster.holder(of: text), holder.id != user.id { throw .duplicate(at: given.path) }
        return text
    }

    /// An item of another family by `{id}` or by the bare id, kept with its name.
    private func reference(_ given: JSONCursor, _ kind: Document.Kind) throws(Rejection) -> JSONValue {
        let named = given.optional("id") ?? given
        let id = try named.recordID()
        guard let found = scope.catalog.documents(kind).first(where: { $0.id == id }) else { throw .invalid(at: named.path) }
        return ["name": found.body["name"] ?? .null, "id": .id(id)]
    }

    private func profile(_ given: JSONCursor, of user: User?) throws(Rejection) -> JSONValue {
        let profile = try reference(given, .profile)
        let id = RecordID(raw: profile["id"]?.looseInt64 ?? 0)
        guard id != user?.profile else { return profile }
        if roster.isAdministrators(profile: id), !callerIsAdministrator {
            throw Rejection(.authorizationFailed, status: 403, .apiName("profile"), .jsonPath(given.path))
        }
        if let user, roster.isLastAdministrator(user), !roster.isAdministrators(profile: id) {
            throw .notAllowed(at: given.path, message: "the last administrator is needed")
        }
        return profile
    }

    /// An active user who does not report to this one.
    private func superior(_ given: JSONCursor, of user: User?) throws(Rejection) -> JSONValue {
        if given.value.isNull { return .null }
        let named = given.optional("id") ?? given
        let id = UserID(raw: try named.recordID().raw)
        guard let found = scope.catalog.user(id), found.active, id != user?.id, user.map({ !roster.reports(id, to: $0.id) }) ?? true else {
            throw .invalid(at: named.path)
        }
        return ["id": .string(String(id.raw))]
    }
}
