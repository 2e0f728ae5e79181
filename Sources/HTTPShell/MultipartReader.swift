import Glibc

/// Takes a multipart/form-data body (RFC 7578) apart as it arrives. A value: it holds a boundary's length of bytes back, no more.
struct MultipartReader {
    enum Event: Equatable {
        /// A part begins; its bytes follow. A part without a field name has none to be known by.
        case part(PartHeader?)
        case bytes([UInt8])
        case partEnd
        case end
    }

    /// The body is not what its boundary promises.
    struct Malformed: Error, Equatable {}

    private enum State { case preamble, header, content, done }

    /// Longer headers than any client sends.
    private static let headerLimit = 16_384
    /// Blanks that may follow a boundary (RFC 2046, 5.1.1); more are no boundary.
    private static let paddingLimit = 64

    private let delimiter: [UInt8]
    private var state = State.preamble
    /// Begins with the line end that the first boundary does not have.
    private var buffer: [UInt8] = Array("\r\n".utf8)
    private var start = 0

    init(boundary: String) { delimiter = Array("\r\n--\(boundary)".utf8) }

    /// The boundary of a content type; `nil` when it is no multipart form.
    static func boundary(of contentType: String) -> String? {
        guard ASCIICase.equal(contentType.prefix(19), "multipart/form-data"),
            let boundary = PartHeader.parameters(of: contentType)["boundary"],
            (1...70).contains(boundary.utf8.count)
        else { return nil }
        return boundary
    }

    mutating func feed(_ bytes: [UInt8]) throws(Malformed) -> [Event] {
        guard state != .done else { return [] }
        if start > 0 {
            buffer.removeSubrange(..<start)
            start = 0
        }
        buffer += bytes
        var events: [Event] = []
        while try step(&events) {}
        return events
    }

    /// To be called when nothing more comes: a body that stops before its last boundary is broken.
    func finish() throws(Malformed) { guard state == .done else { throw Malformed() } }

    /// Returns whether there is more to be had from the buffer.
    private mutating func step(_ events: inout [Event]) throws(Malformed) -> Bool {
        switch state {
        case .done: return false
        case .header: return try readHeader(&events)
        case .preamble, .content: return readContent(&events)
        }
    }

    private mutating func readHeader(_ events: inout [Event]) throws(Malformed) -> Bool {
        guard let end = find([13, 10, 13, 10], from: start) else {
            guard buffer.count - start <= Self.headerLimit else { throw Malformed() }
            return false
        }
        guard end - start <= Self.headerLimit else { throw Malformed() }
        events.append(.part(PartHeader(buffer[start..<end])))
        start = end + 4
        state = .content
        return true
    }

    private mutating func readContent(_ events: inout [Event]) -> Bool {
        var from = start
        while let found = find(delimiter, from: from) {
            switch whatFollows(found + delimiter.count) {
            case .unknown:
                emit(upTo: found, &events)
                return false
            case .text: from = found + 2
            case .next(let header):
                close(at: found, &events)
                (start, state) = (header, .header)
                return true
            case .end:
                close(at: found, &events)
                state = .done
                events.append(.end)
                return false
            }
        }
        // What is held back may be the beginning of a boundary.
        emit(upTo: max(start, buffer.count - delimiter.count + 1), &events)
        return false
    }

    private mutating func close(at end: Int, _ events: inout [Event]) {
        emit(upTo: end, &events)
        if state == .content { events.append(.partEnd) }
    }

    private mutating func emit(upTo end: Int, _ events: inout [Event]) {
        if state == .content, end > start { events.append(.bytes(Array(buffer[start..<end]))) }
        start = end
    }

    private enum Following {
        case unknown, text
        case next(Int)
        case end
    }

    /// What stands behind a boundary's text decides whether it is one. `next` points at the line end, where the header begins.
    private func whatFollows(_ index: Int) -> Following {
        guard index + 2 <= buffer.count else { return .unknown }
        if buffer[index] == UInt8(ascii: "-"), buffer[index + 1] == UInt8(ascii: "-") { return .end }
        var end = index
        while end < buffer.count, end - index <= Self.paddingLimit, buffer[end] == 32 || buffer[end] == 9 { end += 1 }
        guard end - index <= Self.paddingLimit else { return .text }
        guard end + 2 <= buffer.count else { return .unknown }
        return buffer[end] == 13 && buffer[end + 1] == 10 ? .next(end) : .text
    }

    /// Skips by the pattern's first byte, a carriage return. Boundaries have 70 bytes at most, which bounds the worst case.
    private func find(_ pattern: [UInt8], from: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            var index = from
            while index + pattern.count <= bytes.count {
                guard let next = memchr(base + index, Int32(pattern[0]), bytes.count - pattern.count + 1 - index) else { return nil }
                index = UnsafeRawPointer(next) - base
                if memcmp(base + index, pattern, pattern.count) == 0 { return index }
                index += 1
            }
            return nil
        }
    }
}
