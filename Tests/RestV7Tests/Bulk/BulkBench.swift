import Metadata
import SQLStore
import Synchronization
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore
@testable import RestV7

/// A server with a token for bulk jobs, and short ways to run them.
struct BulkBench {
    let server: TestServer
    let token: String

    static let scopes = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.bulk.ALL,ZohoFiles.files.ALL,ZohoSearch.securesearch.READ"

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

    func drain(_ limits: BulkReadJob.Limits = .init(), batch: Int = 3, outgoing: any OutgoingHTTP = NoOutgoingHTTP()) async {
        let ours = [BulkReadJob.kind, BulkWriteJob.kind]
        let handlers: [any JobHandler] =
            JobHandlers.all.filter { !ours.contains(type(of: $0).kind) } + [BulkReadJob(limits: limits), BulkWriteJob(batch: batch)]
        await JobWorker(server.services.speaking(through: outgoing), handlers: handlers).drain()
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

    /// A zip of these files, as another program would make it.
    static func zip(_ files: [(String, [UInt8])]) throws -> [UInt8] {
        var writer = ZipWriter()
        var bytes: [UInt8] = []
        for (name, content) in files {
            let part = try BulkPart(content)
            guard case .row(let packed) = part.place else { continue }
            bytes += writer.begin(
                .init(
                    name: name, checksum: part.checksum, packedSize: part.packedSize + Int64(Deflater.end.count), plainSize: part.plainSize)
            )
            bytes += packed + Deflater.end
        }
        return bytes + writer.end()
    }

    func upload(_ zip: [UInt8], headers: [(String, String)]? = nil) async -> TestServer.Answer {
        let form = FormBody.file("data.zip", zip)
        let organization = server.services.catalog.current().organization["zgid"]?.string ?? ""
        return await server.send(
            "POST", "/crm/v7/upload", body: form.closed, token: token,
            headers: [form.header] + (headers ?? [("feature", "bulk-write"), ("X-CRM-ORG", organization)]))
    }

    /// Uploads a zip of these files and returns the id of it.
    func uploaded(_ files: [(String, String)]) async throws -> JSONValue {
        let answer = await upload(try Self.zip(files.map { ($0.0, Array($0.1.utf8)) }))
        #expect(answer.status == 200, "\(answer.text)")
        return try #require(answer.json?["details"]?["file_id"])
    }

    func startWrite(_ body: JSONValue) async throws -> String {
        let answer = await send("POST", "/crm/bulk/v7/write", body)
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(answer.json?["details"]?["id"]?.string)
    }

    /// One file into one module; the job's id.
    func write(_ operation: String, _ module: String, _ csv: String, _ more: JSONValue = [:], _ top: [JSONValue.Member] = []) async throws
        -> String
    {
        let resource: JSONValue = [
            "type": "data", "module": ["api_name": .string(module)], "file_id": try await uploaded([("\(module).csv", csv)]),
        ]
        let members = (resource.members ?? []) + (more.members ?? [])
        return try await startWrite(
            .object([.init("operation", .string(operation)), .init("resource", [.object(members)])] + top))
    }

    func writeJob(_ id: String) async -> JSONValue { await send("GET", "/crm/bulk/v7/write/\(id)").json ?? .null }

    /// The counts of a job's first file: added, updated, skipped, total.
    func counts(_ id: String, file: Int = 0) async -> [Int64] {
        let resources = await writeJob(id)["resource"]?.array ?? []
        let found = resources.indices.contains(file) ? resources[file]["file"] : nil
        return ["added_count", "updated_count", "skipped_count", "total_count"].map { found?[$0]?.int64 ?? -1 }
    }

    /// The files of a job's result, by name.
    func results(_ id: String) async throws -> [(name: String, lines: [String])] {
        let url = try #require(await writeJob(id)["result"]?["download_url"]?.string)
        // The SDK puts the base and another slash before it.
        let answer = await send("GET", "/" + url)
        #expect(answer.status == 200, "\(answer.text)")
        return try await Self.unzip(answer.body).map { ($0.name, Self.lines($0.content)) }
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
