import Testing

@testable import CRMCore

/// A file that is only counted must be refused, and be as long, as one that is read.
@Suite struct CSVCountTests {
    private struct Reading: Equatable {
        var count = 0
        var failure: String?
    }

    private static func read(_ bytes: [UInt8], in pieces: Int, keepsCells: Bool) -> Reading {
        var reader = CSVReader(delimiter: 0x2C, keepsCells: keepsCells)
        var reading = Reading()
        do throws(CSVFailure) {
            for start in stride(from: 0, to: bytes.count, by: pieces) {
                reading.count += try reader.feed(Array(bytes[start..<min(start + pieces, bytes.count)])).count
            }
            if try reader.finish() != nil { reading.count += 1 }
        } catch {
            reading.failure = error.description
        }
        return reading
    }

    @Test func aLineThatSaysItIsEmptyIsARow() {
        for keepsCells in [true, false] {
            let lines = Array("Name\r\n\"\"\r\n\r\nok\r\n".utf8)
            #expect(Self.read(lines, in: 3, keepsCells: keepsCells) == Reading(count: 3))
        }
    }

    @Test func countingMeetsTheSameRowsAndFailures() {
        var numbers = SystemRandomNumberGenerator()
        let parts: [[UInt8]] = [
            Array("ab".utf8), Array("ä".utf8), Array(",".utf8), Array("\"".utf8), Array("\n".utf8), Array("\r\n".utf8), Array("\r".utf8),
            Array(" ".utf8), Array("\"\"".utf8), [0xC3], [0x00], Array("é,\"x\ny\"".utf8),
        ]
        var failures = 0
        for _ in 0..<3_000 {
            // The signs that break a file come rarely, or every file would be broken.
            let bytes = (0..<Int.random(in: 0...24, using: &numbers)).flatMap { _ -> [UInt8] in
                let part = Int.random(in: 0..<60, using: &numbers)
                return parts[part < 58 ? [0, 1, 2, 3, 4, 5, 6, 7, 8, 11][part % 10] : part - 49]
            }
            let pieces = Int.random(in: 1...30, using: &numbers)
            let kept = Self.read(bytes, in: pieces, keepsCells: true)
            #expect(Self.read(bytes, in: pieces, keepsCells: false) == kept, "\(bytes) in pieces of \(pieces)")
            if kept.failure != nil { failures += 1 }
        }
        #expect(failures > 0)
    }
}
