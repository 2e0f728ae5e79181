import Wire

/// A file of comma-separated values inside an uploaded zip. It is never held as a whole.
package struct BulkFile: Sendable {
    /// What the first lines of a file say.
    package struct Head: Sendable {
        package let header: [String]
        package let delimiter: UInt8
        package let charset: Charset
    }

    /// The largest zip (`bulk-write.md`, section notes), and the most that a file in it may unpack to: ten times as much.
    package static let zipLimit: Int64 = 25 << 20
    static let plainLimit: Int64 = 250 << 20
    /// Rows of a file, without the header.
    package static let rowLimit = 25_000
    /// The header has to stand in the first so many bytes.
    private static let headLimit = 1 << 18

    private let zip: ZipReader
    private let entry: ZipReader.Entry
    package var name: String { entry.name }

    /// Throws `ZipFailure`.
    package static func zip(_ upload: FileLibrary.Entry, _ library: FileLibrary) async throws -> ZipReader {
        try await zip(upload.hash, upload.size, library)
    }

    package static func zip(_ hash: ContentHash, _ size: Int64, _ library: FileLibrary) async throws -> ZipReader {
        let store = library.store
        return try await ZipReader(size: size) { offset, count in try await store.read(hash, at: offset, count: count) ?? [] }
    }

    /// `nil` when the zip has no such file.
    package init?(_ zip: ZipReader, named name: String) {
        guard let entry = zip.files.first(where: { $0.name == name }) else { return nil }
        self.zip = zip
        self.entry = entry
    }

    /// The header, how cells are parted, and how characters are encoded: what the file looks like where `charset` is `nil`.
    package func head(_ charset: Charset?) async throws -> Head {
        var bytes: [UInt8] = []
        try await zip.unpack(entry, limit: Self.plainLimit) { piece in
            bytes += piece
            return bytes.count < Self.headLimit
        }
        let told = Charset.mark(bytes)?.charset ?? charset ?? Charset.guess(bytes, isCut: bytes.count >= Self.headLimit)
        var transcoder = Transcoder(told)
        let text = transcoder.feed(Array(bytes.prefix(Self.headLimit)))
        let line = text.prefix { $0 != 0x0A && $0 != 0x0D }
        // A header holds names, none of which has such a sign in it.
        let counts = [0x2C, 0x3B, 0x7C, 0x3A].map { delimiter in (UInt8(delimiter), line.count { $0 == UInt8(delimiter) }) }
        let delimiter = counts.max { $0.1 < $1.1 }.flatMap { $0.1 > 0 ? $0.0 : nil } ?? 0x2C
        var reader = CSVReader(delimiter: delimiter)
        var header: [String]?
        // Only the first row counts: what is cut off behind it need not be whole.
        for byte in text {
            if let row = try reader.feed([byte]).first {
                header = row
                break
            }
        }
        if header == nil, bytes.count < Self.headLimit { header = try reader.finish() }
        guard let header else { throw CSVFailure(description: "\(name) has no header") }
        return Head(header: header.map { String($0.drop { $0 == " " }) }, delimiter: delimiter, charset: told)
    }

    /// The rows behind the header, in lots of `count`. `each` gets the number of the first one, counted from zero.
    func rows(
        _ head: Head, lots count: Int, from first: Int = 0, keepsCells: Bool = true, each: (Int, [[String]]) async throws -> Void
    )
        async throws
    {
        var transcoder = Transcoder(head.charset)
        var reader = CSVReader(delimiter: head.delimiter, keepsCells: keepsCells)
        var seen = -1
        var lot: [[String]] = []
        func take(_ rows: [[String]]) async throws {
            for row in rows {
                seen += 1
                guard seen > first else { continue }
                lot.append(row)
                guard lot.count == count else { continue }
                let full = lot
                lot = []
                try await each(seen - count, full)
            }
        }
        try await zip.unpack(entry, limit: Self.plainLimit) { piece in
            try await take(try reader.feed(transcoder.feed(piece)))
            return true
        }
        try await take(try reader.feed(transcoder.finish()))
        if let last = try reader.finish() { try await take([last]) }
        if !lot.isEmpty { try await each(seen - lot.count, lot) }
    }
}
