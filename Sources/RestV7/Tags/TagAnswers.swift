import CRMCore
import HTTPShell
import Wire

/// Tags as answers show them.
struct TagAnswers {
    let context: RequestContext

    func listed(_ tag: Tag) -> JSONValue {
        var answer = short(tag)
        for member in stamps(tag) { answer[member.name] = member.value }
        return answer
    }

    /// As a record carries it.
    func short(_ tag: Tag) -> JSONValue {
        ["name": .string(tag.name), "id": .id(tag.id), "color_code": tag.color.map(JSONValue.string) ?? .null]
    }

    func written(_ tag: Tag, _ message: String) -> JSONValue {
        .success(
            message,
            details: .object(stamps(tag) + [.init("id", .id(tag.id)), .init("color_code", tag.color.map(JSONValue.string) ?? .null)]))
    }

    /// A merge tells no colour (tags, 53).
    func merged(_ tag: Tag) -> JSONValue {
        .success("tags merged successfully", details: .object([.init("id", .id(tag.id))] + stamps(tag)))
    }

    private func stamps(_ tag: Tag) -> [JSONValue.Member] {
        [
            .init("created_time", context.shown(tag.createdAt)), .init("modified_time", context.shown(tag.modifiedAt)),
            .init("created_by", context.shownUser(tag.createdBy)), .init("modified_by", context.shownUser(tag.modifiedBy)),
        ]
    }
}
