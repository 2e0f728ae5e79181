import CRMCore
import Outbound
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// A server that sends, and an endpoint of the test's own that receives.
struct WatchBench {
    static let scopes =
        "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.notifications.ALL,ZohoCRM.mass_delete.ALL,ZohoCRM.change_owner.ALL"

    let server: TestServer
    let token: String
    let receiver: LocalReceiver

    static func with(
        _ engine: Database.Engine, _ respond: @escaping @Sendable (LocalReceiver.Received) -> LocalReceiver.Reply = { _ in .status(200) },
        _ body: (WatchBench) async throws -> Void
    ) async throws {
        let receiver = try LocalReceiver(respond)
        defer { receiver.close() }
        try await TestServer.with(engine, outgoing: CurlSender(allowsPrivate: true)) { server in
            try await body(WatchBench(server: server, token: try await server.token(scopes), receiver: receiver))
        }
    }

    /// With a new token, after the clock was put forward.
    func anew() async throws -> WatchBench {
        WatchBench(server: server, token: try await server.token(Self.scopes), receiver: receiver)
    }

    @discardableResult
    func send(_ method: String, _ path: String, _ json: JSONValue? = nil) async -> TestServer.Answer {
        await server.send(method, "/crm/v7/" + path, json, token: token)
    }

    func watch(_ item: JSONValue) async throws {
        var item = item
        if item["channel_id"] == nil { item["channel_id"] = "1" }
        if item["notify_url"] == nil { item["notify_url"] = .string(receiver.url("/hook")) }
        let answer = await send("POST", "actions/watch", ["watch": [item]])
        try #require(answer.status == 201, "\(answer.text)")
    }

    func add(_ module: String, _ items: [JSONValue]) async throws -> [String] {
        let answer = await send("POST", module, ["data": .array(items)])
        try #require(answer.status == 201, "\(answer.text)")
        return answer.rows.compactMap { $0["details"]?["id"]?.string }
    }

    func add(_ module: String, _ item: JSONValue) async throws -> String { try #require(try await add(module, [item]).first) }

    /// Delivers all that is due, and returns the bodies of all calls so far.
    @discardableResult
    func deliver() async -> [JSONValue] {
        await DeliveryWorker(server.services).drain()
        return bodies
    }

    var bodies: [JSONValue] { receiver.received.map { $0.json ?? .null } }

    /// The records that calls spoke of.
    static func ids(_ bodies: ArraySlice<JSONValue>) -> Set<String> {
        var found: Set<String> = []
        for body in bodies { found.formUnion((body["ids"]?.array ?? []).compactMap(\.string)) }
        return found
    }

    /// How many records all calls spoke of.
    var told: Int {
        var count = 0
        for body in bodies { count += body["ids"]?.array?.count ?? 0 }
        return count
    }

    /// What a call says, in short: module, operation and ids.
    static func gist(_ body: JSONValue) -> String {
        let ids = (body["ids"]?.array ?? []).compactMap(\.string)
        return [body["module"]?.string ?? "", body["operation"]?.string ?? "", ids.joined(separator: ",")].joined(separator: " ")
    }
}
