import Glibc
import Logging
import Wire

/// Log lines as JSON objects, one a line on standard error.
struct JSONLogHandler: LogHandler {
    let label: String
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(label: String) { self.label = label }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var json = JSONWriter(capacity: 256)
        json.beginObject()
        json.key("time")
        json.string(Instant.now().iso(offsetMinutes: 0))
        json.key("level")
        json.string(event.level.rawValue)
        json.key("message")
        json.string(event.message.description)
        let all = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }
        for (name, value) in all.sorted(by: { $0.key < $1.key }) {
            json.key(name)
            json.value(Self.json(value))
        }
        json.endObject()
        var line = json.finish()
        line.append(UInt8(ascii: "\n"))
        // One write per line: lines of several threads do not mix.
        _ = write(STDERR_FILENO, line, line.count)
    }

    /// Numbers stay numbers, so that a status or a time can be computed with.
    private static func json(_ value: Logger.Metadata.Value) -> JSONValue {
        guard case .stringConvertible(let convertible) = value else { return .string(value.description) }
        if let number = convertible as? Int { return .integer(Int64(number)) }
        if let number = convertible as? Int64 { return .integer(number) }
        if let number = convertible as? Double { return .real(number) }
        return .string(convertible.description)
    }
}
