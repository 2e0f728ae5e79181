import Wire

/// A person of the organisation, as the catalog knows them.
package struct User: Sendable {
    package let id: UserID
    package let fullName: String
    package let email: String
    package let profile: RecordID
    package let role: RecordID
    package let active: Bool
    package let zone: TimeZoneRule
    package let body: JSONValue
    package let modifiedAt: Instant?

    init(_ document: Document) {
        let body = document.body
        id = UserID(raw: document.id.raw)
        fullName = body["full_name"]?.string ?? ""
        email = body["email"]?.string ?? ""
        profile = RecordID(raw: body["profile"]?["id"]?.looseInt64 ?? 0)
        role = RecordID(raw: body["role"]?["id"]?.looseInt64 ?? 0)
        active = (body["status"]?.string ?? "active") == "active"
        zone = body["time_zone"]?.string.flatMap(TimeZoneRule.init(identifier:)) ?? .utc
        self.body = body
        modifiedAt = document.modifiedAt
    }

    /// The short form in which records name a user.
    package var reference: JSONValue { ["name": .string(fullName), "id": .string(String(id.raw)), "email": .string(email)] }
}
