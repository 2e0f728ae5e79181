import CRMCore
import Foundation
import FoundationNetworking
import Wire

/// Contents as objects of an S3-compatible service, named by their hash.
package struct S3Store: FileStore {
    /// What the service answered to a request that had to work.
    struct Failure: Error, CustomStringConvertible { let description: String }

    /// A service that is busy or out of reach for a moment gets as many tries, each a little later.
    private static let tries = 4

    private let place: S3Place
    private let session: URLSession
    private let clock: @Sendable () -> Instant
    package let spoolFolder: String

    package init(_ place: S3Place, spoolFolder: String, clock: @escaping @Sendable () -> Instant = { .now() }) {
        self.place = place
        self.clock = clock
        self.spoolFolder = spoolFolder
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = 60
        configuration.httpMaximumConnectionsPerHost = 16
        configuration.urlCache = nil
        session = URLSession(configuration: configuration)
    }

    package func put(_ hash: ContentHash, from spool: Spool) async throws {
        // The service compares what arrives with the hash that is signed.
        let answer = try await send("PUT", hash, payload: hash, body: URL(fileURLWithPath: spool.path))
        guard answer.status == 200 else { throw failure("put", hash, answer) }
    }

    package func read(_ hash: ContentHash, at offset: Int64, count: Int) async throws -> [UInt8]? {
        guard count > 0 else { return [] }
        let answer = try await send("GET", hash, ["range": "bytes=\(offset)-\(offset + Int64(count) - 1)"])
        switch answer.status {
        case 206: return answer.body
        // A service may ignore a range it covers whole.
        case 200: return Array(answer.body.dropFirst(Int(offset)).prefix(count))
        case 404: return nil
        case 416: return []
        default: throw failure("read", hash, answer)
        }
    }

    package func remove(_ hash: ContentHash) async throws {
        let answer = try await send("DELETE", hash)
        guard [200, 204, 404].contains(answer.status) else { throw failure("remove", hash, answer) }
    }

    package func clearSpool(before moment: Instant) async throws { try await SpoolFolder.clear(spoolFolder, before: moment) }

    private struct Answer {
        let status: Int
        let body: [UInt8]
    }

    /// The digest of nothing, for requests without a body.
    static let empty = ContentHash(Secrets.hex(Secrets.sha256([])))

    private func send(
        _ method: String, _ hash: ContentHash, payload: ContentHash? = nil, _ headers: [String: String] = [:], body: URL? = nil
    ) async throws -> Answer {
        for attempt in 1... {
            do {
                let answer = try await once(method, hash, payload, headers, body)
                if answer.status < 500 && answer.status != 429 || attempt >= Self.tries { return answer }
            } catch let error as URLError where attempt < Self.tries && error.code != .cancelled {}
            try await Task.sleep(for: .milliseconds(100 << attempt))
        }
        throw CancellationError()
    }

    private func once(_ method: String, _ hash: ContentHash, _ payload: ContentHash?, _ given: [String: String], _ body: URL?) async throws
        -> Answer
    {
        let path = "\(place.endpoint.path)/\(place.bucket)/\(place.prefix)\(hash.hex)".replacing("//", with: "/")
        guard let url = URL(string: path, relativeTo: place.endpoint), let payload = payload ?? Self.empty else {
            throw Failure(description: "no address can be made of \(path)")
        }
        var request = URLRequest(url: url)
        request.httpMethod = method
        let headers = RequestSignature(credentials: place.credentials, now: clock()).headers(
            method, host: place.host, path: path, payload: payload, given)
        for (name, value) in headers where name != "host" { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) =
            body == nil ? try await session.data(for: request) : try await session.upload(for: request, fromFile: body ?? url)
        guard let response = response as? HTTPURLResponse else { throw Failure(description: "the service does not speak HTTP") }
        return Answer(status: response.statusCode, body: [UInt8](data))
    }

    private func failure(_ what: String, _ hash: ContentHash, _ answer: Answer) -> Failure {
        Failure(description: "cannot \(what) \(hash.hex): \(answer.status) \(String(decoding: answer.body.prefix(500), as: UTF8.self))")
    }
}
