import CRMCore
import HTTPShell
import Metadata
import RestV7
import SQLStore
import Synchronization
import Testing
import TributaryTestKit
import Wire

/// A backup that was cut off goes on where it stopped. Contract: data-backup, 239.
@Suite struct BackupResumeTests {
    private struct Cut: Error {}

    /// Counts the archives put away, and stops at one.
    private final class Scissors: Sendable {
        let seen = Mutex<[String]>([])
        let place: Int
        init(at place: Int) { self.place = place }

        func part(_ name: String) throws {
            let count = seen.withLock { seen in
                seen.append(name)
                return seen.count
            }
            if count == place { throw Cut() }
        }
    }

    private static func files(_ bench: RecordBench, _ count: Int) async throws {
        let lead = try await bench.add("Leads", ["Last_Name": "Kim"])
        for number in 0..<count {
            // Nothing that shrinks: each fills half an archive.
            var random = SystemRandomNumberGenerator()
            let content = (0..<5_000).map { _ in UInt8.random(in: 0...255, using: &random) }
            let form = FormBody.file("file\(number).bin", content)
            let answer = await bench.server.send(
                "POST", "/crm/v7/Leads/\(lead)/Attachments", body: form.closed, token: bench.token, headers: [form.header])
            try #require(answer.status == 200, "\(answer.text)")
        }
    }

    @Test(arguments: TestServer.engines) func archivesThatAreWholeAreKept(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(BackupTests.scopes)
            try await Self.files(RecordBench(server: server, token: token), 7)
            #expect(await server.send("POST", BackupTests.path, token: token).status == 200)
            func run(_ scissors: Scissors) async {
                // Many archives of data in one; those of attachments hold two files each.
                await JobWorker(server.services, handlers: [BackupJob(partLimit: 12_000) { try scissors.part($0) }]).drain()
                server.clock.advance(seconds: 120)
            }
            let first = Scissors(at: .max)
            let data = Scissors(at: 1)
            await run(data)
            let taken = data.seen.withLock { $0 }
            #expect(taken.allSatisfy { $0.hasPrefix("Data_") } && taken.count == 1)
            #expect(await server.send("GET", BackupTests.path + "/urls", token: token).status == 204)
            // What was added since is not in it: the data are those of the first run.
            let second = Scissors(at: 2)
            await run(second)
            #expect(second.seen.withLock { $0 } == ["Attachments_001.zip", "Attachments_002.zip"])
            await run(first)
            #expect(first.seen.withLock { $0 } == ["Attachments_003.zip", "Attachments_004.zip"])
            let later = try await server.token(BackupTests.scopes)
            #expect(await server.send("GET", BackupTests.path, token: later).json?["backup"]?["status"] == "COMPLETED")
            let urls = await server.send("GET", BackupTests.path + "/urls", token: later).json?["urls"]
            var contents = 0
            var names: Set<String> = []
            for link in urls?["attachment_links"]?.array ?? [] {
                let target = String((link.string ?? "").dropFirst("http://crm.example.test".count))
                names.insert(target.split(separator: "/").last.map(String.init) ?? "")
                contents += try await BulkBench.unzip(await server.send("GET", target, token: later).body).count
            }
            #expect(names == ["Attachments_001.zip", "Attachments_002.zip", "Attachments_003.zip", "Attachments_004.zip"])
            #expect(contents == 7)
            let job = await server.send("GET", "/crm/v7/__jobs?kind=backup", token: later).json?["jobs"]?.array?.first
            #expect(job?["state"] == "done" && job?["total"] == job?["done"], "\(job?.text ?? "")")
        }
    }
}
