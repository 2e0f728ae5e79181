import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the three calls that send a `watch` body have in common.
private enum ChannelCall {
    static func respond(_ requests: [Result<ChannelRequest, Rejection>], success: Int = 200, _ context: RequestContext) async throws
        -> Reply
    {
        let desk = ChannelDesk(context.services, context.access.user)
        let results = try await desk.carryOut(requests, origin: context.baseURL)
        return ChannelAnswers(context: context).reply(requests, results, success: success)
    }
}

/// Has the caller told of what happens in modules. Contract: notifications, 254.
enum EnableNotifications: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/actions/watch", entry: "254", scope: .fixed(["ZohoCRM.notifications.WRITE", "ZohoCRM.notifications.CREATE"]))

    struct Input: EndpointInput {
        let requests: [Result<ChannelRequest, Rejection>]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            requests = try ChannelReader(context: context).read(request.json()) { _ in .enable }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await ChannelCall.respond(input.requests, success: 201, context)
    }
}

/// Gives channels other settings in place of all they had. Contract: notifications, 256.
enum ReplaceNotifications: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/actions/watch", entry: "256", scope: .fixed(["ZohoCRM.notifications.WRITE", "ZohoCRM.notifications.UPDATE"]))

    struct Input: EndpointInput {
        let requests: [Result<ChannelRequest, Rejection>]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            requests = try ChannelReader(context: context).read(request.json()) { _ in .replace }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await ChannelCall.respond(input.requests, context)
    }
}

/// Changes some of a channel's settings, or ends some of its events where `_delete_events` says so. Contract: notifications, 255 and 258.
enum UpdateNotifications: Endpoint {
    static let declaration = Declaration(
        .patch, "/crm/v7/actions/watch", entry: "255", also: ["258"],
        scope: .fixed(["ZohoCRM.notifications.WRITE", "ZohoCRM.notifications.UPDATE"]))

    struct Input: EndpointInput {
        let requests: [Result<ChannelRequest, Rejection>]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            requests = try ChannelReader(context: context).read(request.json()) { item throws(Rejection) in
                guard let flag = item.optional("_delete_events"), !flag.value.isNull else { return .update }
                return try flag.bool() ? .drop : .update
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await ChannelCall.respond(input.requests, context)
    }
}

/// Ends channels. Contract: notifications, 257.
enum DisableNotifications: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/actions/watch", entry: "257", scope: .fixed(["ZohoCRM.notifications.DELETE"]))

    struct Input: EndpointInput {
        let numbers: [Int64]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            var numbers: [Int64] = []
            for id in try request.ids("channel_ids") where !numbers.contains(id.raw) { numbers.append(id.raw) }
            self.numbers = numbers
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let answers = ChannelAnswers(context: context)
        let ended = try await ChannelDesk(context.services, context.access.user).end(input.numbers)
        let results = ended.flatMap { result -> [Result<JSONValue, Rejection>] in
            switch result {
            case .failure(let refusal): [.failure(refusal)]
            case .success(let channel):
                channel.subscriptions.map { subscription in
                    let details = answers.resource(subscription.module, channel, named: false)
                    return .success(.success("Successfully un-subscribed from actions-watch", details: details))
                }
            }
        }
        return ChannelAnswers.mixed(.items("watch", results))
    }
}
