import Testing

@testable import HTTPShell

/// Forms with files, taken apart as they arrive (RFC 7578, RFC 2046, RFC 8187; common, §9).
@Suite struct MultipartReaderTests {
    private struct Part: Equatable {
        var name: String
        var file: String?
        var bytes: [UInt8]
    }

    /// The parts of a body that comes in pieces of `size` bytes; nil when it is malformed.
    private func parts(_ body: [UInt8], _ size: Int, boundary: String = "b") -> [Part]? {
        var reader = MultipartReader(boundary: boundary)
        var parts: [Part] = []
        var named = false
        do {
            for start in stride(from: 0, to: body.count, by: size) {
                for event in try reader.feed(Array(body[start..<min(start + size, body.count)])) {
                    switch event {
                    case .part(let header):
                        named = header != nil
                        if let header { parts.append(Part(name: header.name, file: header.fileName, bytes: [])) }
                    case .bytes(let bytes): if named { parts[parts.count - 1].bytes += bytes }
                    case .partEnd, .end: break
                    }
                }
            }
            try reader.finish()
        } catch {
            return nil
        }
        return parts
    }

    private func form(_ contents: [(String, [UInt8])], boundary: String = "b") -> [UInt8] {
        contents.flatMap { header, content in
            Array("--\(boundary)\r\nContent-Disposition: form-data; \(header)\r\n\r\n".utf8) + content + Array("\r\n".utf8)
        } + Array("--\(boundary)--\r\n".utf8)
    }

    /// However the network cuts a body, and whatever looks like a boundary inside it.
    @Test func everyCutGivesTheSameParts() {
        let contents: [[UInt8]] = [
            [], Array("\r\n".utf8), Array("\r\n--".utf8), Array("\r\n--bx\r\n--b x\r\n--b-\r\n--b\r".utf8), Array("--b--".utf8),
            Array("\r\r\n\r\n--".utf8),
            Array("\r\n--b \t-".utf8), (0...255).map { UInt8($0) },
        ]
        let body = form(contents.enumerated().map { ("name=\"file\"; filename=\"\($0)\"", $1) })
        let expected = contents.enumerated().map { Part(name: "file", file: String($0), bytes: $1) }
        for size in [1, 2, 3, 5, 7, 11, 64, 1000, body.count] { #expect(parts(body, size) == expected, "pieces of \(size)") }
        #expect(parts(Array("a preamble\r\n".utf8) + body + Array("an epilogue".utf8), 3) == expected)
    }

    @Test func paddingAfterABoundaryBelongsToIt() {
        let body = Array("--b \t \r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--b--".utf8)
        #expect(parts(body, 1) == [Part(name: "x", file: nil, bytes: Array("1".utf8))])
        let blanks = String(repeating: " ", count: 80)
        let text = Array("--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--b\(blanks)\r\n2\r\n--b--".utf8)
        #expect(parts(text, 7)?.first?.bytes == Array("1\r\n--b\(blanks)\r\n2".utf8))
    }

    @Test(arguments: [
        "", "--b", "--b\r\nContent-Disposition: form-data; name=x\r\n\r\nabc", "--b\r\nno header", "--c--", "--b\r\n\r\nabc\r\n--b",
    ])
    func aBodyThatBreaksOffIsMalformed(_ text: String) {
        #expect(parts(Array(text.utf8), 4) == nil)
    }

    @Test func aHeaderHasALimit() {
        let long = "--b\r\nContent-Disposition: form-data; name=x; filename=\(String(repeating: "a", count: 20_000))\r\n\r\n\r\n--b--"
        #expect(parts(Array(long.utf8), 4096) == nil)
    }

    @Test func aPartWithoutAFieldNameIsPassedOver() {
        let body = Array(
            "--b\r\n\r\nabc\r\n--b\r\nContent-Type: text/plain\r\n\r\nabc\r\n--b\r\nContent-Disposition: form-data; name=y\r\n\r\n2\r\n--b--"
                .utf8)
        #expect(parts(body, 2) == [Part(name: "y", file: nil, bytes: Array("2".utf8))])
    }

    /// Names as browsers, curl, requests and older clients write them.
    @Test(
        arguments: [
            ("name=\"file\"; filename=\"plan.pdf\"", "plan.pdf"), ("name=file; filename=plan.pdf", "plan.pdf"),
            ("name=\"file\"; filename=\"a;b=c.txt\"", "a;b=c.txt"), ("name=\"file\"; filename=\"a\\\"b\\\\c.txt\"", "a\"b\\c.txt"),
            ("name=\"file\"; filename=\"a%22b%0D%0A.txt\"", "a\"b  .txt"), ("name=\"file\"; filename=\"100%.txt\"", "100%.txt"),
            ("name=\"file\"; filename=\"C:\\dir\\x.txt\"", "C:\\dir\\x.txt"),
            ("name=\"file\"; filename=\"naïve 日本 🙂.txt\"", "naïve 日本 🙂.txt"),
            ("name=\"file\"; filename*=utf-8''na%C3%AFve%20%27x%27.txt", "naïve 'x'.txt"),
            ("name=\"file\"; filename=\"plain\"; filename*=UTF-8''b%C3%A9tter", "bétter"),
            ("name=\"file\"; filename*=ISO-8859-1''x; filename=\"fallback\"", "fallback"), ("NAME=\"file\"; FileName=\"x\"", "x"),
            ("name=\"file\"; filename=\"\"", ""),
        ] as [(String, String)])
    func fileNamesAreRead(_ header: String, _ name: String) {
        #expect(parts(form([(header, [1])]), 3) == [Part(name: "file", file: name, bytes: [1])])
    }

    @Test func boundariesAreReadFromTheContentType() {
        #expect(MultipartReader.boundary(of: "multipart/form-data; boundary=abc") == "abc")
        #expect(MultipartReader.boundary(of: "Multipart/Form-Data; charset=x; Boundary=\"a b;c\"") == "a b;c")
        for type in [
            "application/json", "multipart/form-data", "multipart/mixed; boundary=a",
            "multipart/form-data; boundary=" + String(repeating: "a", count: 71),
        ] {
            #expect(MultipartReader.boundary(of: type) == nil, "\(type)")
        }
    }

    @Test func theDispositionCarriesAnyName() {
        #expect(Reply.disposition("plan.pdf") == "attachment; filename=\"plan.pdf\"; filename*=UTF-8''plan.pdf")
        #expect(Reply.disposition("né\"\r\n'.txt") == "attachment; filename=\"n_____.txt\"; filename*=UTF-8''n%C3%A9%22%0D%0A%27.txt")
    }
}
