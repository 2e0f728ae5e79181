import TributaryTestKit

/// A multipart form as clients send it.
struct FormBody {
    private(set) var bytes: [UInt8] = []
    private let boundary = "0f1e2d3c4b5a"

    /// The Python SDK names a file in every part.
    mutating func add(_ name: String, file: String, _ content: [UInt8], type: String? = nil) {
        let kind = type.map { "\r\nContent-Type: \($0)" } ?? ""
        bytes +=
            Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"\(file)\"\(kind)\r\n\r\n".utf8) + content
            + Array("\r\n".utf8)
    }

    var closed: [UInt8] { bytes + Array("--\(boundary)--\r\n".utf8) }
    var header: (String, String) { ("Content-Type", "multipart/form-data; boundary=\(boundary)") }

    static func file(_ name: String, _ content: [UInt8], field: String = "file") -> FormBody {
        var form = FormBody()
        form.add(field, file: name, content)
        return form
    }
}

extension TestServer {
    func upload(_ path: String, _ form: FormBody, token: String, method: String = "POST") async -> Answer {
        await send(method, path, body: form.closed, token: token, headers: [form.header])
    }
}

/// Images as small as they can be.
enum TinyImage {
    static func png(_ width: UInt32 = 1, _ height: UInt32 = 1) -> [UInt8] {
        func big(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
        return [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10, 0, 0, 0, 13] + Array("IHDR".utf8) + big(width) + big(height) + [8, 6, 0, 0, 0]
    }
    static let gif: [UInt8] = Array("GIF89a".utf8) + [1, 0, 1, 0, 0, 0, 0]
}
