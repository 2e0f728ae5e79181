/// What the first bytes of an image say: its kind and its size in pixels.
package struct ImageHeader: Sendable, Equatable {
    /// The kinds a photo may have.
    package enum Kind: String, Sendable {
        case png = "image/png"
        case jpeg = "image/jpeg"
        case gif = "image/gif"
        case bmp = "image/bmp"
    }

    package let kind: Kind
    package let width: Int
    package let height: Int
    package var pixels: Int { width * height }

    /// Reads through `read(offset, count)`, which may give fewer bytes at the end. `nil` for anything that is no such image.
    package static func read(_ read: (Int64, Int) async throws -> [UInt8]) async rethrows -> ImageHeader? {
        let head = try await read(0, 32)
        if head.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]), head.count >= 24, head[12..<16].elementsEqual("IHDR".utf8) {
            return made(.png, big(head, 16, 4), big(head, 20, 4))
        }
        if head.starts(with: "GIF87a".utf8) || head.starts(with: "GIF89a".utf8), head.count >= 10 {
            return made(.gif, little(head, 6, 2), little(head, 8, 2))
        }
        if head.starts(with: "BM".utf8), head.count >= 26 {
            // A negative height means rows from the top.
            return made(.bmp, little(head, 18, 4), abs(Int(Int32(truncatingIfNeeded: little(head, 22, 4)))))
        }
        return head.starts(with: [0xFF, 0xD8, 0xFF]) ? try await jpeg(read) : nil
    }

    /// Goes from marker to marker until the frame tells the size. 1,000 segments are more than any camera writes.
    private static func jpeg(_ read: (Int64, Int) async throws -> [UInt8]) async rethrows -> ImageHeader? {
        var offset: Int64 = 2
        for _ in 0..<1000 {
            let segment = try await read(offset, 9)
            guard segment.count >= 4, segment[0] == 0xFF else { return nil }
            switch segment[1] {
            case 0xFF: offset += 1  // fill byte
            case 0x01, 0xD0...0xD7: offset += 2  // no length
            case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
                guard segment.count == 9 else { return nil }
                return made(.jpeg, big(segment, 7, 2), big(segment, 5, 2))
            case 0xD9, 0xDA: return nil
            default: offset += 2 + Int64(big(segment, 2, 2))
            }
        }
        return nil
    }

    private static func made(_ kind: Kind, _ width: Int, _ height: Int) -> ImageHeader? {
        // Above this no decoder goes, and products of two stay far from the end of an Int.
        guard (1...1_000_000).contains(width), (1...1_000_000).contains(height) else { return nil }
        return ImageHeader(kind: kind, width: width, height: height)
    }

    private static func big(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int {
        bytes[start..<start + count].reduce(0) { $0 << 8 | Int($1) }
    }
    private static func little(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int {
        bytes[start..<start + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
