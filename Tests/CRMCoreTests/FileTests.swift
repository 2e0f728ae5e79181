import Foundation
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore

/// The names and kinds of files: pure values.
@Suite struct FileValueTests {
    @Test(
        arguments: [
            ("plan.pdf", "plan.pdf"), ("../../etc/passwd", "passwd"), ("/", "file"), ("..", "file"), (".", "file"), ("", "file"),
            ("a/..", "file"),
            ("a\u{0}b\r\n\tc.txt", "abc.txt"), ("C:\\x\\y.txt", "C:\\x\\y.txt"), ("日本 🙂.png", "日本 🙂.png"), (".hidden", ".hidden"),
        ] as [(String, String)])
    func namesAreMadeFitToKeep(_ given: String, _ kept: String) {
        #expect(FileName(given).text == kept)
    }

    @Test func longNamesKeepTheirEnding() {
        let name = FileName(String(repeating: "x", count: 400) + ".pdf").text
        #expect(name.count == 255)
        #expect(name.hasSuffix("x.pdf"))
    }

    /// common, §9: only types the SDKs know.
    @Test func typesFollowTheEnding() {
        let cases = [
            "a.PNG": "image/png", "a.b.csv": "text/csv", "a.html": "application/octet-stream", "a.svg": "application/octet-stream",
            "a": "application/octet-stream",
        ]
        for (name, type) in cases { #expect(FileName(name).mediaType == type, "\(name)") }
    }

    @Test func imagesTellTheirSize() async {
        let png: [UInt8] =
            [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10, 0, 0, 0, 13] + Array("IHDR".utf8) + [0, 0, 1, 2, 0, 0, 0, 3, 8, 6, 0, 0, 0]
        let gif = Array("GIF89a".utf8) + [0x20, 0x03, 0x58, 0x02, 0, 0, 0]
        let bmp =
            Array("BM".utf8) + [UInt8](repeating: 0, count: 16) + [10, 0, 0, 0, 0xEC, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 10)
        let frame: [UInt8] = [0xFF, 0xC2, 0, 17, 8, 0x02, 0x58, 0x03, 0x20, 3]
        let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE1, 0, 6, 1, 2, 3, 4, 0xFF] + frame
        let cases: [([UInt8], ImageHeader?)] = [
            (png, ImageHeader(kind: .png, width: 258, height: 3)), (gif, ImageHeader(kind: .gif, width: 800, height: 600)),
            (bmp, ImageHeader(kind: .bmp, width: 10, height: 20)), (jpeg, ImageHeader(kind: .jpeg, width: 800, height: 600)),
        ]
        for (bytes, expected) in cases {
            #expect(await header(bytes) == expected)
            // Nothing that breaks off is an image, and nothing that breaks off crashes.
            for count in 0..<bytes.count where await header(Array(bytes.prefix(count))) != nil {
                #expect(await header(Array(bytes.prefix(count))) == expected)
            }
        }
        for bytes: [UInt8] in [[], [0xFF, 0xD8, 0xFF], [0xFF, 0xD8, 0xFF, 0xDA, 0, 2], Array("<svg/>".utf8), Array("%PDF-1.4".utf8)] {
            #expect(await header(bytes) == nil)
        }
    }

    private func header(_ bytes: [UInt8]) async -> ImageHeader? {
        await ImageHeader.read { offset, count in Array(bytes.dropFirst(Int(offset)).prefix(count)) }
    }

    @Test(arguments: [
        "", "../../../etc/passwd", String(repeating: "A", count: 64), String(repeating: "a", count: 63),
        String(repeating: "a", count: 63) + "/",
    ])
    func onlyADigestNamesAContent(_ text: String) { #expect(ContentHash(text) == nil) }
}

/// Contents on disk and in the database: put away once, taken away when nobody has them, never lost on the way.
@Suite struct FileLibraryTests {
    private final class Home: Sendable {
        let database: TestDatabase
        let start: Bootstrap.Result
        let clock: TestClock
        var library: FileLibrary { start.services.files }

        init(_ engine: Database.Engine, observer: (@Sendable (String) throws -> Void)? = nil) async throws {
            database = try await .fresh(engine)
            let clock = TestClock()
            self.clock = clock
            start = try await Bootstrap.start(
                database.location, options: .init(observer: observer), demo: false, logger: TestDatabase.logger, clock: { clock.now() })
        }

        func end() async {
            await start.close()
            await database.remove()
        }

        func keep(_ bytes: [UInt8], _ name: String = "a.txt") async throws -> FileLibrary.Kept {
            let spool = library.spool()
            for start in stride(from: 0, to: bytes.count, by: 100_000) {
                try await spool.append(Array(bytes[start..<min(start + 100_000, bytes.count)]))
            }
            return try await library.keep(spool, named: name)
        }

        func upload(_ bytes: [UInt8]) async throws -> FileLibrary.Entry {
            let kept = try await keep(bytes)
            let entries = try await library.register([kept], owner: start.administrator.id)
            return try #require(entries.first)
        }

        func read(_ entry: FileLibrary.Entry) async throws -> [UInt8] {
            var all: [UInt8] = []
            for try await piece in library.bytes(of: entry) { all += piece }
            return all
        }

        func count(_ sql: SQL) async throws -> Int64 {
            try await start.services.database.run(.read) { tx in try tx.first(sql) { $0.integer(0) ?? 0 } ?? 0 }
        }

        /// Everything that is left anywhere: rows, and files under the store.
        func leftovers() async throws -> [String] {
            let rows = try await count(
                "SELECT (SELECT count(*) FROM sys_blob) + (SELECT count(*) FROM sys_file) + (SELECT count(*) FROM sys_file_chunk) + (SELECT count(*) FROM sys_field_file)"
            )
            var found = rows == 0 ? [] : ["\(rows) rows"]
            guard case .sqlite(let folder) = database.location, let walk = FileManager.default.enumerator(atPath: folder + "/files") else {
                return found
            }
            for case let path as String in walk where walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular {
                found.append(path)
            }
            return found
        }
    }

    private func with(_ engine: Database.Engine, observer: (@Sendable (String) throws -> Void)? = nil, _ body: (Home) async throws -> Void)
        async throws
    {
        await TestLimit.servers.enter()
        let home = try await Home(engine, observer: observer)
        let result: Result<Void, any Error>
        do { result = .success(try await body(home)) } catch { result = .failure(error) }
        await home.end()
        await TestLimit.servers.leave()
        try result.get()
    }

    private static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    @Test(arguments: TestServer.engines) func contentsComeBackByteByByte(_ engine: Database.Engine) async throws {
        try await with(engine) { home in
            // Around the sizes at which pieces and chunks end.
            for size in [0, 1, 262_143, 262_144, 262_145, 524_288, 524_289, 1_300_000] {
                let content = Self.bytes(size, seed: UInt64(size))
                let entry = try await home.upload(content)
                #expect(try await home.read(entry) == content, "\(size)")
                #expect(entry.size == Int64(size))
                #expect(entry.token.count == 64)
            }
            #expect(try await home.library.file(token: "nobody") == nil)
            #expect(try await home.library.file(token: "a\u{0}b") == nil)
        }
    }

    @Test(arguments: TestServer.engines) func oneContentIsPutAwayOnce(_ engine: Database.Engine) async throws {
        try await with(engine) { home in
            let content = Self.bytes(5000)
            let entries = try await withThrowingTaskGroup(of: FileLibrary.Entry.self) { group in
                for _ in 0..<8 { group.addTask { try await home.upload(content) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(entries.map(\.token)).count == 8)
            #expect(try await home.count("SELECT count(*) FROM sys_blob") == 1)
            for entry in entries { #expect(try await home.read(entry) == content) }
        }
    }

    @Test(arguments: TestServer.engines) func whatNobodyHoldsGoesAfterADay(_ engine: Database.Engine) async throws {
        try await with(engine) { home in
            let sweep = FileSweep(home.start.services)
            let first = try await home.upload(Self.bytes(1000, seed: 1))
            let again = try await home.upload(Self.bytes(1000, seed: 1))
            _ = try await home.keep(Self.bytes(1000, seed: 2))
            try await sweep.sweep()
            #expect(try await home.read(first) == Self.bytes(1000, seed: 1))
            home.clock.advance(seconds: 20 * 3600)
            let third = try await home.upload(Self.bytes(1000, seed: 1))
            home.clock.advance(seconds: 5 * 3600)
            try await sweep.sweep()
            #expect(try await home.library.file(token: first.token) == nil)
            #expect(try await home.library.file(token: again.token) == nil)
            #expect(try await home.read(third) == Self.bytes(1000, seed: 1), "the content stays with its last file")
            home.clock.advance(seconds: 25 * 3600)
            try await sweep.sweep()
            #expect(try await home.leftovers() == [])
        }
    }

    /// A removal that broke off is finished by the next sweep, and a content uploaded meanwhile comes back whole.
    @Test(arguments: TestServer.engines) func aBrokenRemovalIsFinished(_ engine: Database.Engine) async throws {
        try await with(engine) { home in
            let content = Self.bytes(3000)
            let entry = try await home.upload(content)
            let hash = entry.hash
            let services = home.start.services
            let now = home.clock.now()
            // As a process leaves it that is killed between the bytes and the row.
            try await services.database.run(.write) { tx in
                try tx.execute("DELETE FROM sys_file")
                try tx.execute("UPDATE sys_blob SET expires_at = \(now), removing_since = \(now)")
            }
            try await home.library.store.remove(hash)
            let late = Task { try await home.upload(content) }
            try await Task.sleep(for: .milliseconds(200))
            home.clock.advance(seconds: 700)
            try await FileSweep(services).sweep()
            #expect(try await home.read(late.value) == content)
        }
    }

    /// What a process that was killed had begun to remove can be put away again at once when no other process lives, and after its
    /// ten minutes when one does: that one may be who removes it.
    @Test(arguments: TestServer.engines) func aRemovalOfADeadProcessBlocksNobody(_ engine: Database.Engine) async throws {
        try await with(engine) { home in
            let services = home.start.services
            let now = home.clock.now()
            let hash = try await home.upload(Self.bytes(3000)).hash
            let other = Instant(milliseconds: now.milliseconds + 60_000)
            try await services.database.run(.write) { tx in
                try tx.execute("DELETE FROM sys_file")
                try tx.execute("UPDATE sys_blob SET expires_at = \(now), removing_since = \(now)")
                try tx.execute("INSERT INTO sys_process (number, owner, lease_until) VALUES (900, 'other', \(other))")
            }
            try await FileSweep(services).sweep()
            #expect(try await home.count("SELECT count(*) FROM sys_blob WHERE removing_since IS NOT NULL") == 1)
            try await services.database.run(.write) { tx in try tx.execute("DELETE FROM sys_process WHERE number = 900") }
            try await home.library.store.remove(hash)
            try await FileSweep(services).sweep()
            #expect(try await home.count("SELECT count(*) FROM sys_blob") == 0)
            #expect(try await home.read(home.upload(Self.bytes(3000))) == Self.bytes(3000))
        }
    }

    /// Whichever statement fails, nothing is seen of the upload, and a day later nothing is left of it.
    @Test(arguments: TestServer.engines) func aFailureAnywhereLeavesNothingBehind(_ engine: Database.Engine) async throws {
        let fault = Fault()
        try await with(engine, observer: fault.observe) { home in
            var failures = 0
            for step in 0..<50 {
                fault.arm(step)
                let entry = try? await home.upload(Self.bytes(700_000, seed: 9))
                let wasHit = fault.disarm()
                if !wasHit {
                    #expect(entry != nil)
                    break
                }
                failures += 1
                #expect(entry == nil)
                #expect(try await home.count("SELECT count(*) FROM sys_file") == 0)
                home.clock.advance(seconds: 25 * 3600)
                try await FileSweep(home.start.services).sweep()
                #expect(try await home.leftovers() == [], "statement \(step)")
            }
            #expect(failures > 2)
        }
    }

    /// What a killed process left in the folder of uploads goes at the next start; files that are not ours stay.
    @Test func brokenUploadsAreClearedAtTheStart() async throws {
        let database = try await TestDatabase.fresh(.sqlite)
        guard case .sqlite(let folder) = database.location else { return }
        let incoming = folder + "/files/incoming"
        try FileManager.default.createDirectory(atPath: incoming, withIntermediateDirectories: true)
        for name in [Spool.prefix + "0123", "notes.txt"] {
            _ = FileManager.default.createFile(atPath: "\(incoming)/\(name)", contents: Data("x".utf8))
        }
        let start = try await Bootstrap.start(
            database.location, demo: false, logger: TestDatabase.logger,
            clock: { Instant(milliseconds: Instant.now().milliseconds + 60_000) })
        #expect(try FileManager.default.contentsOfDirectory(atPath: incoming) == ["notes.txt"])
        await start.close()
        await database.remove()
    }

    /// Stores without a folder of their own share the system's: whose clock is ahead leaves the uploads of others alone.
    @Test(arguments: TestServer.engines) func anUploadUnderWayIsLeftAlone(_ engine: Database.Engine) async throws {
        try await with(engine) { home in
            let spool = home.library.spool()
            try await spool.append([1, 2, 3])
            home.clock.advance(seconds: 25 * 3600)
            try await FileSweep(home.start.services).sweep()
            let kept = try await home.library.keep(spool, named: "a.txt")
            let entry = try #require(try await home.library.register([kept], owner: home.start.administrator.id).first)
            #expect(try await home.read(entry) == [1, 2, 3])
        }
    }

    /// A spool that nobody finishes goes with whoever had it.
    @Test func anUploadGivenUpLeavesNoFile() async throws {
        try await with(.sqlite) { home in
            do {
                let spool = home.library.spool()
                try await spool.append([1, 2, 3])
                #expect(try await home.leftovers().count == 1)
            }
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await home.leftovers() == [])
        }
    }
}

/// Fails one statement of many.
private final class Fault: Sendable {
    private let left = Counter()

    func arm(_ step: Int) { left.set(step) }
    /// Whether it had struck.
    func disarm() -> Bool { left.set(nil) }
    var observe: @Sendable (String) throws -> Void {
        { [left] _ in if left.countDown() { throw SQLFailure.other(DriverFailure(code: "test", message: "")) } }
    }

    private final class Counter: Sendable {
        private let lock = NSLock()
        nonisolated(unsafe) private var left: Int?
        nonisolated(unsafe) private var struck = false

        @discardableResult
        func set(_ step: Int?) -> Bool {
            lock.withLock {
                defer { (left, struck) = (step, false) }
                return struck
            }
        }

        func countDown() -> Bool {
            lock.withLock {
                guard let now = left else { return false }
                left = now == 0 ? nil : now - 1
                if now == 0 { struck = true }
                return now == 0
            }
        }
    }
}
