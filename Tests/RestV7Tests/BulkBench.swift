import CRMCore
import Metadata
import SQLStore
import Synchronization
import Testing
import TributaryTestKit
import Wire

@testable import RestV7

/// A server with a token for bulk jobs, and short ways to run them.
struct BulkBench {
    let server: TestServer
    let token: String

    static let scopes = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.bulk.ALL,ZohoFiles.files.ALL,ZohoCRM.files.READ"

    static func with(_ engine: Database.Engine, _ body: (BulkBench) async throws -> Void) async throws {
        try await TestServer.with(engine) { server in
            try await body(BulkBench(server: server, token: try await server.token(scopes)))
        }
    }

    var records: RecordBench { RecordBench(server: server, token: token) }

    func send(_ method: String, _ path: String, _ json: JSONValue? = nil, token: String? = nil) async -> TestServer.Answer {
        await server.send(method, path, json, token: token ?? self.token, headers: [("Content-Type", "application/json")])
    }

    /// Starts an export and returns its id.
    func startRead(_ query: JSONValue, _ more: [JSONValue.Member] = []) async throws -> String {
        let answer = await send("POST", "/crm/bulk/v7/read", .object([.init("query", query)] + more))
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(answer.json?["data"]?.array?.first?["details"]?["id"]?.string)
    }

    func readJob(_ id: String) async -> JSONValue {
        await send("GET", "/crm/bulk/v7/read/\(id)").json?["data"]?.array?.first ?? .null
    }

    func drain(_ limits: BulkReadJob.Limits = .init(), senders: [any JobHandler] = []) async {
        await JobWorker(
            server.services, handlers: JobHandlers.all.filter { type(of: $0).kind != BulkReadJob.kind } + [BulkReadJob(limits: limits)]
        )
        .drain()
    }

    /// The lines of the one file in a downloaded zip.
    func lines(of id: String) async throws -> [String] {
        let answer = await send("GET", "/crm/bulk/v7/read/\(id)/result")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.header("Content-Type") == "application/zip")
        #expect(answer.header("Content-Disposition")?.contains("\"\(id).zip\"") == true)
        let files = try await Self.unzip(answer.body)
        #expect(files.count == 1)
        return Self.lines(try #require(files.first).content)
    }

    static func lines(_ content: [UInt8]) -> [String] {
        String(decoding: content, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: true).map(String.init)
    }

    static func unzip(_ bytes: [UInt8]) async throws -> [(name: String, content: [UInt8])] {
        let zip = try await ZipReader(size: Int64(bytes.count)) { offset, count in
            Array(bytes.dropFirst(Int(offset)).prefix(count))
        }
        var files: [(String, [UInt8])] = []
        for entry in zip.files {
            let content = Mutex<[UInt8]>([])
            try await zip.unpack(entry, limit: 1 << 30) { piece in
                content.withLock { $0 += piece }
                return true
            }
            files.append((entry.name, content.withLock { $0 }))
        }
        return files
    }
}
