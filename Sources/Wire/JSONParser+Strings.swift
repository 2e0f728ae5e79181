extension JSONParser {
    mutating func string() throws(JSONSyntaxError) -> String {
        let plain = try plainRun()
        guard current == UInt8(ascii: "\"") else { return try escaped(after: plain) }
        position += 1
        return try text(of: plain)
    }

    /// The name of a member. Names repeat in each record of a batch, so each is made once.
    mutating func key() throws(JSONSyntaxError) -> JSONKeyTable.Key {
        guard current == UInt8(ascii: "\"") else { throw unexpected }
        let plain = try plainRun()
        guard current == UInt8(ascii: "\"") else {
            return JSONKeyTable.Key(name: try escaped(after: plain), slot: JSONKeyTable.slotOfEscaped)
        }
        position += 1
        let slot = JSONKeyTable.slot(of: plain)
        if let name = keys.name(plain, slot: slot) { return JSONKeyTable.Key(name: name, slot: slot) }
        let name = try text(of: plain)
        if keepsKeys { keys.remember(name, plain, slot: slot) }
        return JSONKeyTable.Key(name: name, slot: slot)
    }

    /// Steps over the opening quote, and over all bytes up to the closing one or the first backslash.
    private mutating func plainRun() throws(JSONSyntaxError) -> UnsafeBufferPointer<UInt8> {
        position += 1
        let first = position
        try skipPlain()
        return UnsafeBufferPointer(start: start + first, count: position - first)
    }

    private mutating func skipPlain() throws(JSONSyntaxError) {
        let raw = UnsafeRawPointer(start)
        while position &+ 8 <= end {
            let plain = ByteWord(raw, at: position).plainCount
            position &+= plain
            if plain < 8 { break }
        }
        while position < end, !ByteWord.needsEscape(start[position]) { position &+= 1 }
        guard position < end else { throw error(.unexpectedEnd) }
        guard start[position] >= 0x20 else { throw error(.controlCharacter) }
    }

    /// Decoding repairs bad UTF-8; comparing finds that out. `String(validating:as:)` says the same and measured slower
    /// by a third of the whole parse.
    private func text(of bytes: UnsafeBufferPointer<UInt8>) throws(JSONSyntaxError) -> String {
        var text = String(decoding: bytes, as: UTF8.self)
        guard text.withUTF8({ ByteWord.same($0, bytes) }) else { throw error(.badUTF8) }
        return text
    }

    /// The rest of a string that has a backslash, up to and over the closing quote.
    private mutating func escaped(after plain: UnsafeBufferPointer<UInt8>) throws(JSONSyntaxError) -> String {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: plain)
        while current == UInt8(ascii: "\\") {
            position += 1
            try escape()
            let first = position
            try skipPlain()
            scratch.append(contentsOf: UnsafeBufferPointer(start: start + first, count: position - first))
        }
        position += 1
        return try scratch.withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in try text(of: bytes) }
    }

    /// What follows a backslash.
    private mutating func escape() throws(JSONSyntaxError) {
        let byte = current
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(byte)
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0C)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        case UInt8(ascii: "r"): scratch.append(0x0D)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"):
            position += 1
            return scratch.append(contentsOf: UTF8.encode(try unicodeEscape()) ?? .init())
        default: throw error(.badEscape)
        }
        position += 1
    }

    /// Four hexadecimal digits, or two times four that are a surrogate pair.
    private mutating func unicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let unit = try hexUnit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard UTF16.isLeadSurrogate(unit), current == UInt8(ascii: "\\") else { throw error(.loneSurrogate) }
        position += 1
        guard current == UInt8(ascii: "u") else { throw error(.loneSurrogate) }
        position += 1
        let trail = try hexUnit()
        guard UTF16.isTrailSurrogate(trail) else { throw error(.loneSurrogate) }
        return UTF16.decode(UTF16.EncodedScalar([unit, trail]))
    }

    private mutating func hexUnit() throws(JSONSyntaxError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            let byte = current
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "A") + 10)
            default: throw error(.badEscape)
            }
            position += 1
        }
        return unit
    }
}
