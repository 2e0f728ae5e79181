import CRMCore
import Glibc
import Testing
import TributaryTestKit

@testable import Outbound

/// Requests to servers that callers name, against one of the test's own.
@Suite struct SenderTests {
    private func url(_ text: String) throws -> OutgoingURL { try #require(OutgoingURL(text)) }

    /// What became of a request.
    private func outcome(
        _ sender: CurlSender, _ url: OutgoingURL, body: [UInt8] = Array("{}".utf8), timeout: Duration = .seconds(10)
    ) async -> Result<OutgoingAnswer, OutgoingFailure> {
        do {
            return .success(try await sender.send(OutgoingRequest("POST", url, headers: [("X-Test", "1")], body: body, timeout: timeout)))
        } catch {
            return .failure(error)
        }
    }

    @Test func aBodyArrivesAsItIsWithItsHeaders() async throws {
        let receiver = try LocalReceiver()
        defer { receiver.close() }
        let body = [UInt8](repeating: 0x61, count: 200_000) + [0, 1, 2]
        let answer = try await outcome(CurlSender(allowsPrivate: true), url(receiver.url("/hook?a=b c&d=é")), body: body).get()
        #expect(answer == OutgoingAnswer(status: 200, body: Array("ok".utf8)))
        let request = try #require(receiver.received.first)
        #expect(request.method == "POST")
        #expect(request.path == "/hook?a=b%20c&d=%C3%A9")
        #expect(request.headers["x-test"] == "1")
        #expect(request.headers["expect"] == nil)
        #expect(request.body == body)
    }

    @Test func anAnswerOfAnyStatusIsAnAnswer() async throws {
        let receiver = try LocalReceiver { _ in .status(503) }
        defer { receiver.close() }
        let answer = try await outcome(CurlSender(allowsPrivate: true), url(receiver.url())).get()
        #expect(answer.status == 503)
        #expect(!answer.isSuccess)
    }

    @Test func redirectsAreNotFollowed() async throws {
        let target = try LocalReceiver()
        let receiver = try LocalReceiver { [address = target.url()] _ in .redirect(to: address) }
        defer { (receiver.close(), target.close()) }
        let answer = try await outcome(CurlSender(allowsPrivate: true), url(receiver.url())).get()
        #expect(answer.status == 302)
        #expect(target.received.isEmpty)
    }

    @Test func thisMachineIsNotReachedUnlessAllowed() async throws {
        let receiver = try LocalReceiver()
        defer { receiver.close() }
        let sender = CurlSender(allowsPrivate: false)
        for host in ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "user:pw@127.0.0.1"] {
            let result = await outcome(sender, try url("http://\(host):\(receiver.port)/"))
            #expect(result == .failure(.notPublic), "\(host)")
        }
        #expect(receiver.received.isEmpty)
    }

    @Test func aServerThatHangsCostsItsTimeAndNobodyElses() async throws {
        let hanging = try LocalReceiver { _ in .hang }
        let receiver = try LocalReceiver()
        defer { (receiver.close(), hanging.close()) }
        let sender = CurlSender(allowsPrivate: true)
        let slow = try url(hanging.url())
        let quick = try url(receiver.url())
        async let hung = withTaskGroup(of: Result<OutgoingAnswer, OutgoingFailure>.self) { group in
            for _ in 0..<20 { group.addTask { await outcome(sender, slow, timeout: .seconds(1)) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        _ = await hanging.wait(for: 20)
        // All of them are waiting now.
        for _ in 0..<20 { #expect(await outcome(sender, quick) == .success(OutgoingAnswer(status: 200, body: Array("ok".utf8)))) }
        #expect(await hung == Array(repeating: .failure(.timedOut), count: 20))
    }

    @Test func aRequestEndsWhenItsTaskDoes() async throws {
        let hanging = try LocalReceiver { _ in .hang }
        defer { hanging.close() }
        let sender = CurlSender(allowsPrivate: true)
        let slow = try url(hanging.url())
        let task = Task { await outcome(sender, slow) }
        _ = await hanging.wait(for: 1)
        task.cancel()
        #expect(await task.value == .failure(.cancelled))
        #expect(
            await Task { () -> Result<OutgoingAnswer, OutgoingFailure> in
                withUnsafeCurrentTask { $0?.cancel() }
                return await outcome(sender, slow)
            }.value == .failure(.cancelled))
    }

    @Test func whatIsNotThereIsUnreachable() async throws {
        let receiver = try LocalReceiver { _ in .drop }
        defer { receiver.close() }
        let sender = CurlSender(allowsPrivate: true)
        for address in [receiver.url(), "http://127.0.0.1:1/", "http://nobody.invalid/"] {
            guard case .failure(.unreachable(let reason)) = await outcome(sender, try url(address)) else {
                Issue.record("\(address) answered")
                continue
            }
            #expect(!reason.isEmpty)
        }
    }
}

@Suite struct AddressTests {
    @Test(arguments: [
        ("93.184.216.34", true), ("8.8.8.8", true), ("172.15.0.1", true), ("172.32.0.1", true), ("100.128.0.1", true), ("192.0.1.1", true),
        ("0.1.2.3", false), ("10.0.0.1", false), ("100.64.0.1", false), ("127.255.0.1", false), ("169.254.169.254", false),
        ("172.16.0.1", false), ("172.31.255.255", false), ("192.168.1.1", false), ("192.0.0.1", false), ("198.18.0.1", false),
        ("203.0.113.5", false), ("224.0.0.1", false), ("255.255.255.255", false),
    ])
    func onlyPublicIPv4AddressesAreAllowed(_ text: String, _ allowed: Bool) {
        #expect(PublicAddress.allows(v4: text.split(separator: ".").compactMap { UInt8($0) }) == allowed)
    }

    @Test(arguments: [
        ("2606:2800:220:1:248:1893:25c8:1946", true), ("2a00:1450::1", true), ("2001:4860:4860::8888", true),
        ("::ffff:8.8.8.8", true), ("64:ff9b::8.8.8.8", true), ("2002:808:808::1", true),
        ("::", false), ("::1", false), ("::ffff:10.0.0.1", false), ("64:ff9b::127.0.0.1", false), ("2002:7f00:1::1", false),
        ("fe80::1", false), ("fc00::1", false), ("fd12::1", false), ("ff02::1", false), ("2001:db8::1", false), ("2001::1", false),
        ("64:ff9b:1::1", false), ("3fff::1", false), ("::7f00:1", false),
    ])
    func onlyPublicIPv6AddressesAreAllowed(_ text: String, _ allowed: Bool) throws {
        var address = in6_addr()
        try #require(inet_pton(AF_INET6, text, &address) == 1)
        #expect(PublicAddress.allows(v6: withUnsafeBytes(of: address) { Array($0) }) == allowed)
    }

    @Test(arguments: [
        "", "example.com", "ftp://example.com", "http://", "http:///path", "https://:80/", "http://a b/", "http://user@/", "javascript:x",
        "http://exa\u{0}mple.com", "file:///etc/passwd", "http://?x", "http://\\x", "http://a:0/", "http://a:65536/", "http://a:http/",
        "http://a:80:80/", "http://a..b/", "http://.a/", "http://-a/",
        "http://a-.b/", "http://a,b/", "http://a%20b/", "http://999.1.1.1/", "http://1.2.3.4.5/", "http://4294967296/", "http://09.1.1.1/",
        "http://1.2.3.256/", "http://[::1/",
        "http://[]/",
        "http://[1:2]/", "http://[::1::]/", "http://[g::]/", "http://[::1]x/", "http://[::1]:99999/", "http://[1:2:3:4:5:6:7:8:9]/",
        "http://\(String(repeating: "a", count: 64)).test/",
    ])
    func anAddressHasASchemeAndAHost(_ text: String) {
        #expect(OutgoingURL(text) == nil)
    }

    @Test(arguments: [
        "http://localhost", "HTTPS://Example.COM:443/x", "http://a:/", "http://user:word@a_b.test:8080?x", "http://127.0.0.1:1/",
        "http://a.test./",
        "http://[::1]:8080/", "http://[2001:db8::1]", "http://[::ffff:127.0.0.1]/", "http://[fe80::1%25eth0]/", "http://[1:2:3:4:5:6:7:8]/",
        "https://bücher.test/", "http://xn--bcher-kva.test/",
    ])
    func anAddressThatMayExistIsTaken(_ text: String) {
        #expect(OutgoingURL(text) != nil)
    }

    @Test func theQueryIsReadAsItStands() throws {
        let url = try #require(OutgoingURL("https://example.com/cb?authorization=Zoho-oauthtoken 1&key=a=b&flag#x?y=z"))
        #expect(url.query.map { "\($0.name):\($0.value)" } == ["authorization:Zoho-oauthtoken 1", "key:a=b", "flag:"])
        #expect(try #require(OutgoingURL("https://example.com")).query.isEmpty)
    }
}
