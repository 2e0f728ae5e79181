import CRMCore
import Wire

/// The files of a form, put away while they arrive and received once, however often the request is planned.
package actor Upload {
    /// What an endpoint takes.
    package struct Rules: Sendable {
        let count: Int
        let size: Int64
        /// The refusals of a file too large, and of a body that is no such form.
        let tooLarge: Rejection
        let broken: Rejection

        package init(count: Int = 1, size: Int64, tooLarge: Rejection, broken: Rejection) {
            self.count = count
            self.size = size
            self.tooLarge = tooLarge
            self.broken = broken
        }
    }

    package struct Received: Sendable {
        package let files: [FileLibrary.Kept]
        /// The form's other fields.
        package let fields: [(name: String, value: String)]
    }

    /// A plain field of a form is no longer than this.
    private static let fieldLimit = 65_536
    private static let fieldCount = 100

    private let body: ByteStream
    private let contentType: String
    private var received: Received?

    package init(_ body: ByteStream, contentType: String) {
        self.body = body
        self.contentType = contentType
    }

    /// Files stand in parts named `file`.
    package func receive(_ library: FileLibrary, _ rules: Rules) async throws -> Received {
        if let received { return received }
        guard let boundary = MultipartReader.boundary(of: contentType) else { throw rules.broken }
        var reader = MultipartReader(boundary: boundary)
        var parts = Parts(library: library, rules: rules)
        do {
            for try await piece in body {
                for event in try reader.feed(piece) { try await parts.take(event) }
            }
            try reader.finish()
        } catch is MultipartReader.Malformed {
            throw rules.broken
        }
        let all = try await parts.kept()
        received = all
        return all
    }

    /// The parts as they come in.
    private struct Parts {
        let library: FileLibrary
        let rules: Rules
        private var spools: [(spool: Spool, name: String)] = []
        private var fields: [(name: String, value: String)] = []
        private var current: PartHeader?
        private var text: [UInt8] = []

        init(library: FileLibrary, rules: Rules) {
            self.library = library
            self.rules = rules
        }

        private var isFile: Bool { current?.name == "file" }

        mutating func take(_ event: MultipartReader.Event) async throws {
            switch event {
            case .part(let header):
                current = header
                text = []
                guard isFile else { return }
                guard spools.count < rules.count else {
                    if rules.count == 1 { throw rules.broken }
                    throw Rejection(.limitExceeded, .apiName("file"), .other("limit", .integer(rules.count)), .maximumLength(rules.count))
                }
                spools.append((library.spool(), header?.fileName ?? ""))
            case .bytes(let bytes):
                guard isFile, let spool = spools.last?.spool else { return addText(bytes) }
                guard await spool.size + Int64(bytes.count) <= rules.size else { throw rules.tooLarge }
                try await spool.append(bytes)
            case .partEnd:
                guard !isFile, let current, fields.count < Upload.fieldCount, let value = String(validating: text, as: UTF8.self) else {
                    return
                }
                fields.append((current.name, value))
            case .end: return
            }
        }

        private mutating func addText(_ bytes: [UInt8]) {
            if text.count + bytes.count <= Upload.fieldLimit { text += bytes }
        }

        func kept() async throws -> Received {
            var files: [FileLibrary.Kept] = []
            for (spool, name) in spools { files.append(try await library.keep(spool, named: name)) }
            return Received(files: files, fields: fields)
        }
    }
}

extension Rejection {
    /// The body passes the endpoint's limit. Contract: common, §4.
    static func bodyTooLarge(_ limit: Int) -> Rejection {
        Rejection(.fileTooLarge, message: "the request body is larger than allowed", .other("limit", .integer(Int64(limit))))
    }
}
