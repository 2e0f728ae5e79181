/// The name a file was uploaded under, fit to be kept and shown: the last part of a path, without control characters.
package struct FileName: Sendable, Hashable {
    /// What file systems allow.
    private static let limit = 255

    package let text: String

    package init(_ given: String) {
        let last = given.split(separator: "/").last.map(String.init) ?? ""
        var clean = String(String.UnicodeScalarView(last.unicodeScalars.filter { $0.properties.generalCategory != .control }))
        if [".", ".."].contains(clean) { clean = "" }
        text = clean.isEmpty ? "file" : Self.cut(clean)
    }

    /// Shortened in the middle, so that the ending stays.
    private static func cut(_ name: String) -> String {
        guard name.unicodeScalars.count > limit else { return name }
        let ending = name.lastIndex(of: ".").map { String(name[$0...]) }.flatMap { $0.unicodeScalars.count <= 20 ? $0 : nil } ?? ""
        return String(String.UnicodeScalarView(name.unicodeScalars.prefix(limit - ending.unicodeScalars.count))) + ending
    }

    package var ending: String { text.lastIndex(of: ".").map { text[text.index(after: $0)...].lowercased() } ?? "" }

    /// The media type by the name's ending: only types that the SDKs know (`common.md` §9), and none that a browser would run.
    package var mediaType: String { Self.types[ending] ?? "application/octet-stream" }

    private static let types: [String: String] = [
        "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "bmp": "image/bmp", "webp": "image/webp",
        "tif": "image/tiff", "tiff": "image/tiff", "pdf": "application/pdf", "zip": "application/zip", "csv": "text/csv",
        "doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "gz": "application/gzip", "tar": "application/x-tar",
        "7z": "application/x-7z-compressed", "rar": "application/vnd.rar", "mp3": "audio/mpeg", "wav": "audio/x-wav", "mp4": "video/mp4",
        "webm": "video/webm", "mpeg": "video/mpeg", "ttf": "font/ttf",
    ]
}
