import Synchronization
import Testing
import Wire

@testable import CRMCore

/// Zips made here and elsewhere, and those made to do harm.
@Suite struct ZipTests {
    private static func reader(_ bytes: [UInt8]) async throws -> ZipReader {
        try await ZipReader(size: Int64(bytes.count)) { offset, count in Array(bytes.dropFirst(Int(offset)).prefix(count)) }
    }

    private static func content(_ zip: ZipReader, _ index: Int = 0, limit: Int64 = 1 << 20) async throws -> [UInt8] {
        let all = Mutex<[UInt8]>([])
        try await zip.unpack(zip.entries[index], limit: limit) { piece in
            all.withLock { $0 += piece }
            return true
        }
        return all.withLock { $0 }
    }

    /// An entry in as many pieces as there are texts.
    private static func zip(_ name: String, _ texts: [[UInt8]], plainSize: Int64? = nil) throws -> [UInt8] {
        let parts = try texts.map(BulkPart.init)
        let checksum = parts.reduce(Checksum()) { $0.followed(by: $1.checksum, count: $1.plainSize) }
        var writer = ZipWriter()
        let packed = parts.reduce(Int64(2)) { $0 + $1.packedSize }
        var bytes = writer.begin(
            .init(name: name, checksum: checksum, packedSize: packed, plainSize: plainSize ?? parts.reduce(0) { $0 + $1.plainSize }))
        for part in parts { if case .row(let packed) = part.place { bytes += packed } }
        return bytes + Deflater.end + writer.end()
    }

    @Test func piecesMadeApartAreReadAsOne() async throws {
        let texts = (0..<5).map { number in Array(String(repeating: "line \(number)\n", count: number * 10_000).utf8) }
        let zip = try await Self.reader(try Self.zip("ä.csv", texts))
        #expect(zip.files.map(\.name) == ["ä.csv"])
        #expect(try await Self.content(zip) == texts.flatMap(\.self))
    }

    @Test func aZipThatUnpacksToMoreThanItMayIsStopped() async throws {
        let bomb = try Self.zip("bomb.csv", [[UInt8](repeating: 0x41, count: 5 << 20)], plainSize: 10)
        #expect(bomb.count < 60_000)
        let zip = try await Self.reader(bomb)
        await #expect(throws: ZipFailure.self) { try await Self.content(zip, limit: 1 << 20) }
        // Not even within the limit is its own word believed.
        await #expect(throws: ZipFailure.self) { try await Self.content(zip, limit: 10 << 20) }
        // What says itself that it is too large is not even begun.
        let honest = try await Self.reader(try Self.zip("large.csv", [Array("a\n".utf8)], plainSize: 11 << 20))
        await #expect(throws: ZipFailure("large.csv is larger than \(10 << 20) bytes")) { try await Self.content(honest, limit: 10 << 20) }
    }

    @Test func damageOfAnyByteIsNoticedOrHarmless() async throws {
        let text = Array("Last_Name,Company\nKim,Acme\n".utf8)
        let good = try Self.zip("a.csv", [text])
        for place in good.indices {
            var bad = good
            bad[place] ^= 0xFF
            guard let zip = try? await Self.reader(bad), !zip.entries.isEmpty else { continue }
            if let content = try? await Self.content(zip) { #expect(content == text, "byte \(place)") }
        }
        for length in 0..<good.count { #expect((try? await Self.reader(Array(good.prefix(length)))) == nil) }
    }
}

/// Comma-separated values as RFC 4180 has them, in pieces of any size.
@Suite struct CSVReaderTests {
    private static func rows(_ text: String, piece: Int, delimiter: Character = ",") throws -> [[String]] {
        var reader = CSVReader(delimiter: delimiter.asciiValue ?? 0x2C)
        let bytes = Array(text.utf8)
        var rows: [[String]] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            rows += try reader.feed(Array(bytes[start..<min(start + piece, bytes.count)]))
        }
        if let last = try reader.finish() { rows.append(last) }
        return rows
    }

    @Test(arguments: [1, 2, 3, 1_000]) func quotesLinesAndDelimitersAreKeptApart(_ piece: Int) throws {
        let cases: [(String, [[String]])] = [
            ("a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]), ("a,b\n1,2", [["a", "b"], ["1", "2"]]), ("a\r1\r", [["a"], ["1"]]),
            ("\"a,\"\"b\"\"\r\nc\",d\n", [["a,\"b\"\r\nc", "d"]]), ("a,,\n,,\n", [["a", "", ""], ["", "", ""]]),
            ("a\n\n\r\nb\n", [["a"], ["b"]]),
            ("\"\",\"\"\n", [["", ""]]), ("a\"b,c\n", [["a\"b", "c"]]), ("é,日本\n", [["é", "日本"]]), ("", []), ("\n", []),
            ("a,", [["a", ""]]),
        ]
        for (text, rows) in cases { #expect(try Self.rows(text, piece: piece) == rows, "\(text)") }
        #expect(try Self.rows("a;\"b;c\"\n", piece: piece, delimiter: ";") == [["a", "b;c"]])
    }

    @Test func whatCannotBeReadSaysWhere() throws {
        for (bytes, word) in [([0x61, 0x0A, 0xFF, 0x0A], "row 2"), ([0x22, 0x61], "quote"), ([0x61, 0x00, 0x0A], "NUL")]
            as [([UInt8], String)]
        {
            var reader = CSVReader(delimiter: 0x2C)
            let failure = #expect(throws: CSVFailure.self) {
                _ = try reader.feed(bytes)
                _ = try reader.finish()
            }
            #expect(failure?.description.contains(word) == true)
        }
    }
}
