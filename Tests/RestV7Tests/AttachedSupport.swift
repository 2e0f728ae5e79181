import CRMCore
import TributaryTestKit
import Wire

extension TestServer {
    /// Adds one record and returns its id.
    func add(_ module: String, _ record: JSONValue, token: String) async throws -> String {
        let answer = await send("POST", "/crm/v7/\(module)", ["data": [record]], token: token)
        guard answer.status == 201, let id = answer.json?["data"]?.array?.first?["details"]?["id"]?.string else { throw Unexpected(answer.text) }
        return id
    }

    /// One record whole; `nil` when it is not there.
    func record(_ module: String, _ id: String, token: String) async -> JSONValue? {
        await send("GET", "/crm/v7/\(module)/\(id)", token: token).json?["data"]?.array?.first
    }

    /// Does the jobs that are due.
    func drain() async { await JobWorker(services).drain() }

    struct Unexpected: Error { let text: String; init(_ text: String) { self.text = text } }
}

extension JSONValue {
    /// The first element under a key.
    func first(_ key: String) -> JSONValue? { self[key]?.array?.first }
    func codes(_ key: String) -> [String?] { (self[key]?.array ?? []).map { $0["code"]?.string } }
}
