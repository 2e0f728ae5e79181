import CRMCore
import Foundation
import FoundationNetworking
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

@testable import ObjectStore

@Suite struct S3ValueTests {
    /// The example of Amazon's documentation of Signature Version 4 ("GET Object").
    @Test func aRequestIsSignedAsTheServiceExpects() throws {
        let credentials = RequestSignature.Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", sessionToken: nil, region: "us-east-1"
        )
        let now = try #require(Instant(iso: "2013-05-24T00:00:00+00:00"))
        let empty = try #require(ContentHash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
        let headers = RequestSignature(credentials: credentials, now: now).headers(
            "GET", host: "examplebucket.s3.amazonaws.com", path: "/test.txt", payload: empty, ["range": "bytes=0-9"])
        #expect(headers["x-amz-date"] == "20130524T000000Z")
        #expect(
            headers["authorization"]
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func theAddressNamesABucket() throws {
        let keys = ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"]
        let place = try S3Place("s3://files/crm/one", environment: keys.merging(["AWS_ENDPOINT_URL": "http://127.0.0.1:9000"]) { $1 })
        #expect(place.bucket == "files")
        #expect(place.prefix == "crm/one/")
        #expect(place.host == "127.0.0.1:9000")
        #expect(
            try S3Place("s3://files", environment: keys.merging(["AWS_REGION": "eu-west-1"]) { $1 }).host == "s3.eu-west-1.amazonaws.com")
        for bad in [
            "s3://", "s3://a", "s3:files", "https://files", "s3://files/../x", "s3://files/a b", "s3://files/a%20b", "s3://files?x",
        ] {
            #expect(throws: S3Place.Problem.address(bad)) { try S3Place(bad, environment: keys) }
        }
        #expect(throws: S3Place.Problem.noCredentials) { try S3Place("s3://files", environment: [:]) }
        #expect(throws: S3Place.Problem.endpoint("ftp://x")) {
            try S3Place("s3://files", environment: keys.merging(["AWS_ENDPOINT_URL": "ftp://x"]) { $1 })
        }
    }
}

/// Against a server that speaks S3, when `scripts/with_s3.sh` has started one.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["TRIBUTARY_TEST_S3"] != nil)) struct S3StoreTests {
    private static let endpoint = ProcessInfo.processInfo.environment["TRIBUTARY_TEST_S3"] ?? ""

    /// A store in a bucket of its own.
    private func place() async throws -> S3Place {
        let bucket = "test-\(UInt32.random(in: 0...UInt32.max))"
        let place = try S3Place(
            "s3://\(bucket)/crm", environment: ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": Self.endpoint])
        let made = await status("PUT", "/\(bucket)")
        try #require(made == 200)
        return place
    }

    private func status(_ method: String, _ path: String) async -> Int? {
        guard let url = URL(string: Self.endpoint + path) else { return nil }
        var request = URLRequest(url: url)
        request.httpMethod = method
        let answer = try? await URLSession.shared.data(for: request)
        return (answer?.1 as? HTTPURLResponse)?.statusCode
    }

    /// The service's own list of the bucket.
    private func list(_ place: S3Place) async -> String {
        guard let url = URL(string: "\(Self.endpoint)/\(place.bucket)?list-type=2") else { return "" }
        let empty = RequestSignature(credentials: place.credentials, now: .now())
        var request = URLRequest(url: url)
        for (name, value) in empty.headers("GET", host: place.host, path: "/\(place.bucket)", payload: nothing) where name != "host" {
            request.setValue(value, forHTTPHeaderField: name)
        }
        return String(decoding: (try? await URLSession.shared.data(for: request).0) ?? Data(), as: UTF8.self)
    }

    private var nothing: ContentHash { S3Store.empty ?? { preconditionFailure("a digest is a digest") }() }

    private func spool(_ bytes: [UInt8]) async throws -> Spool {
        let spool = Spool(in: SpoolFolder.standard)
        for start in stride(from: 0, to: bytes.count, by: 1 << 20) {
            try await spool.append(Array(bytes[start..<min(start + 1 << 20, bytes.count)]))
        }
        return spool
    }

    @Test func contentsGoThereAndComeBack() async throws {
        let place = try await place()
        let database = try await TestDatabase.fresh(.sqlite)
        let clock = TestClock()
        let store = S3Store(place, spoolFolder: SpoolFolder.standard)
        let start = try await Bootstrap.start(
            database.location, files: .store(store), demo: false, logger: TestDatabase.logger, clock: { clock.now() })
        let library = start.services.files
        for size in [0, 1, 524_288, 1_300_000, 20_000_000] {
            let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 / 251 &+ $0) }
            let kept = try await library.keep(try await spool(content), named: "a.txt")
            let entries = try await library.register([kept], owner: start.administrator.id)
            let entry = try #require(entries.first)
            var got: [UInt8] = []
            for try await piece in library.bytes(of: entry) { got += piece }
            #expect(got == content, "\(size)")
            #expect(await list(place).contains("<Key>crm/\(kept.hash.hex)</Key>"))
            #expect(try await store.read(kept.hash, at: Int64(size) + 10, count: 5)?.isEmpty ?? false)
        }
        clock.advance(seconds: 25 * 3600)
        try await FileSweep(start.services).sweep()
        #expect(await list(place).contains("<KeyCount>0</KeyCount>"))
        let unknown = try #require(ContentHash(String(repeating: "0", count: 64)))
        #expect(try await store.read(unknown, at: 0, count: 5) == nil)
        try await store.remove(unknown)
        await start.close()
        await database.remove()
    }

    /// A bucket that is not there is a failure, not a file that is lost without a word.
    @Test func whatTheServiceRefusesFails() async throws {
        let place = try S3Place(
            "s3://nobody-made-this",
            environment: ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": Self.endpoint])
        let store = S3Store(place, spoolFolder: SpoolFolder.standard)
        let spool = try await spool([1])
        let hash = try #require(ContentHash(String(repeating: "0", count: 64)))
        await #expect(throws: (any Error).self) { try await store.put(hash, from: spool) }
    }
}
