import CRMCore

extension Reply {
    /// A file to be saved. Contract: common, §9: the SDKs read the name behind `filename*=UTF-8''`, which therefore stands last.
    package static func file(_ entry: FileLibrary.Entry, _ library: FileLibrary) -> Reply {
        var reply = Reply(
            status: 200,
            headers: [
                ("Content-Type", entry.mediaType), ("Content-Disposition", disposition(entry.name)),
                // Whatever somebody uploaded is not to be guessed at, let alone run.
                ("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "default-src 'none'; sandbox"),
            ])
        if entry.size > 0 { reply.stream = Stream(ByteStream(library.bytes(of: entry)), length: Int(entry.size)) }
        return reply
    }

    /// The plain name is for clients older than RFC 8187: what is not safe in quotes becomes an underscore.
    static func disposition(_ name: String) -> String {
        let plain = name.unicodeScalars.map { scalar -> Character in
            let safe = scalar.isASCII && scalar.value >= 0x20 && scalar.value < 0x7F && !"\"\\%'".unicodeScalars.contains(scalar)
            return safe ? Character(scalar) : "_"
        }
        return "attachment; filename=\"\(String(plain))\"; filename*=UTF-8''\(PercentCoding.encode(name))"
    }
}
