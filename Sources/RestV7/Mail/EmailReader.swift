import CRMCore
import HTTPShell
import Metadata
import Wire

/// Reads what bodies say about mails: people, files, moments.
struct EmailReader {
    let context: RequestContext

    /// As many people may one list name; the contract gives no number.
    private static let mostPeople = 100
    private static let mostFiles = 100

    /// `{"user_name","email"}` under `name`, which must be there.
    func mailbox(_ name: String, of item: JSONCursor) throws(Rejection) -> Mailbox { try mailbox(try item.required(name), parent: name) }

    func mailboxIfGiven(_ name: String, of item: JSONCursor) throws(Rejection) -> Mailbox? {
        guard let given = given(name, item) else { return nil }
        return try mailbox(given, parent: name)
    }

    /// What is absent inside says where (`emails.md`, 231, errors).
    private func mailbox(_ given: JSONCursor, parent: String) throws(Rejection) -> Mailbox {
        _ = try given.object()
        guard let email = given.optional("email"), !email.value.isNull, email.value != "" else {
            throw Rejection(
                .mandatoryNotFound, .apiName("email"), .jsonPath(given.path.appending("email")), .other("parent_api_name", .string(parent)))
        }
        return Mailbox(try self.given("user_name", given)?.string(max: 255), try address(email))
    }

    func address(_ given: JSONCursor) throws(Rejection) -> MailAddress {
        guard let address = MailAddress(try given.string()) else { throw .wrongType("email", at: given.path) }
        return address
    }

    func people(_ name: String, of item: JSONCursor, needed: Bool = false) throws(Rejection) -> [Mailbox] {
        guard let list = given(name, item) else {
            if needed { throw .missing(name, at: item.path) }
            return []
        }
        let elements = try list.elements()
        if needed, elements.isEmpty { throw .missing(name, at: item.path) }
        guard elements.count <= Self.mostPeople else { throw .tooLong(Self.mostPeople, at: list.path) }
        var people: [Mailbox] = []
        for element in elements { people.append(try mailbox(element, parent: name)) }
        return people
    }

    func given(_ name: String, _ item: JSONCursor) -> JSONCursor? { item.optional(name).flatMap { $0.value.isNull ? nil : $0 } }

    func text(_ name: String, of item: JSONCursor, max: Int) throws(Rejection) -> String? { try given(name, item)?.string(max: max) }

    func flag(_ name: String, of item: JSONCursor) throws(Rejection) -> Bool? { try given(name, item)?.bool() }

    /// A moment with its zone.
    func moment(_ given: JSONCursor) throws(Rejection) -> Instant {
        guard let instant = Instant(iso: try given.string()) else { throw .wrongType("datetime", at: given.path) }
        return instant
    }

    func format(of item: JSONCursor) throws(Rejection) -> Email.Format {
        guard let given = given("mail_format", item) else { return .html }
        guard let format = Email.Format(rawValue: try given.string()) else {
            throw .unsupported(Email.Format.allCases.map(\.rawValue), at: given.path)
        }
        return format
    }

    /// An active user's id inside `{"id"}`.
    func user(_ name: String, of item: JSONCursor) throws(Rejection) -> UserID? {
        guard let given = given(name, item) else { return nil }
        let named = given.value["id"] == nil ? given : try given.required("id")
        let id = UserID(raw: try named.recordID().raw)
        guard context.catalog.user(id) != nil else { throw .invalid(at: named.path, message: "Provide a Proper owner id") }
        return id
    }

    /// Uploaded files by their ids; `nil` when the body does not speak of files. Together they stay below the limit.
    func files(of item: JSONCursor) async throws -> [EmailFile]? {
        guard let list = given("attachments", item) else { return nil }
        let elements = try list.elements()
        guard elements.count <= Self.mostFiles else { throw Rejection.tooLong(Self.mostFiles, at: list.path) }
        var files: [EmailFile] = []
        for element in elements {
            let named = try element.required("id")
            guard let file = try await context.services.files.file(token: try named.string()) else {
                throw Rejection.invalid(at: named.path, message: "provided file id is improper")
            }
            let name = try text("file_name", of: element, max: 255) ?? text("name", of: element, max: 255)
            files.append(EmailFile(file, name: name.map { FileName($0).text }))
        }
        if files.reduce(0, { $0 + $1.file.size }) > EmailFile.most {
            throw Rejection(
                .fileSizeExceeds, message: "Total file(s) size should not exceed 10MB", .apiName("attachments"), .jsonPath(list.path),
                .other("limit", .integer(EmailFile.most)))
        }
        return files
    }

    /// The images that the content shows. Ids of files nobody uploaded are left as they stand.
    func images(in content: String?) async throws -> [EmailFile] {
        var images: [EmailFile] = []
        for token in InlineImages.tokens(in: content ?? "").prefix(Self.mostFiles) {
            if let file = try await context.services.files.file(token: token) { images.append(EmailFile(file)) }
        }
        guard images.reduce(0, { $0 + $1.file.size }) <= EmailFile.most else {
            throw Rejection(.fileSizeExceeds, message: "Total file(s) size should not exceed 10MB", .apiName("content"))
        }
        return images
    }
}

/// The longest content of a mail: a long newsletter, images apart.
let longestEmailContent = 500_000
