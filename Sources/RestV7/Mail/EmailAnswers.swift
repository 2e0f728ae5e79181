import CRMCore
import HTTPShell
import Metadata
import Wire

/// Mails as answers show them. Contract: emails, 229.
struct EmailAnswers {
    let context: RequestContext

    /// A row of the list.
    func row(_ view: EmailView) -> JSONValue {
        let email = view.email
        return [
            "message_id": .string(email.token), "subject": .string(email.subject), "from": email.sender, "to": list(email.people["to"]),
            "cc": list(email.people["cc"]), "owner": context.shownUser(email.owner), "summary": .null, "source": .string(source(email)),
            "sent": .bool(email.isOutgoing), "read": true, "has_attachment": .bool(email.files > 0),
            "has_thread_attachment": .bool(view.hasFilesInThread), "linked_record": linked(view), "related_to_record": .null,
            "intent": .null, "emotion": .null, "sentiment_info": .null, "time": context.shown(email.at), "status": status(email),
        ]
    }

    /// One by itself.
    func whole(_ view: EmailView) -> JSONValue {
        let email = view.email
        var json = row(view)
        json["bcc"] = list(email.people["bcc"])
        json["reply_to"] = email.people["reply_to"] ?? .null
        json["content"] = .string(email.content)
        json["mail_format"] = .string(email.format.rawValue)
        json["thread_id"] = .id(email.thread)
        json["sent_time"] = ["waiting", "scheduled", "draft"].contains(email.state.rawValue) ? .null : context.shown(email.at)
        json["editable"] = .bool(email.state == .draft)
        json["attachments"] = .array(
            view.files.map { ["id": .string($0.token), "name": .string($0.name), "size": .string(String($0.size))] })
        return json
    }

    private func list(_ people: JSONValue?) -> JSONValue {
        guard let people, let list = people.array, !list.isEmpty else { return .null }
        return people
    }

    private func source(_ email: Email) -> String {
        switch email.state {
        case .associated: "user_email"
        case .draft: "draft"
        default: "individual"
        }
    }

    private func linked(_ view: EmailView) -> JSONValue {
        guard let (place, name) = view.other, let module = context.catalog.module(id: place.module) else { return .null }
        return ["id": .id(place.record), "name": name.map { .string($0) } ?? .null, "module": module.shown]
    }

    private func status(_ email: Email) -> JSONValue {
        switch email.state {
        case .associated: [["type": .string(email.isOutgoing ? "sent" : "received")]]
        case .bounced:
            [
                [
                    "type": "bounced",
                    "bounced_time": context.shown(email.details["at"]?.int64.map(Instant.init(milliseconds:))),
                    "bounced_reason": email.details["reason"] ?? .null,
                    "category": email.details["permanent"] == true ? "Permanently blocked" : "Temporarily blocked",
                    "sub_category": email.details["email"] ?? .null,
                ]
            ]
        case .failed: [["type": "failed", "bounced_reason": email.details["reason"] ?? .null]]
        case .draft, .scheduled, .waiting, .sent, .kept: [["type": .string(email.state.rawValue)]]
        }
    }
}
