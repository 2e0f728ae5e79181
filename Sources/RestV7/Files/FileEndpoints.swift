import HTTPShell
import Wire

/// Everything about files: the file system of uploads, attachments, photos, files in fields.
let fileEndpoints: [any Endpoint.Type] = [
    UploadFiles.self, DownloadFile.self, ListAttachments.self, AddAttachment.self, DownloadAttachment.self, DeleteAttachment.self,
    DeleteAttachments.self, SetPhoto.self, GetPhoto.self, DeletePhoto.self, SetOrganizationPhoto.self, GetOrganizationPhoto.self,
    DeleteOrganizationPhoto.self, DownloadFieldFile.self,
]

/// How large uploads may be.
enum FileLimits {
    /// One file of an attachment or of the file system. The pages give no number; this is the original's largest.
    static let file: Int64 = 100 << 20
    static let photo: Int64 = 10 << 20, organizationPhoto: Int64 = 1 << 20
    static let pixels = 10_000_000
    /// Files in one call of the file system (`files.md`).
    static let count = 10
    /// A body: the file and its form around it.
    static let body = (100 << 20) + (1 << 20)
    static let filesBody = 10 * (100 << 20) + (1 << 20)
}

extension Rejection {
    /// The form holds no file, more than one, or is no form.
    static var noFile: Rejection { Rejection(.invalidData, message: "one file is expected in the form field file", .apiName("file")) }
    static func fileTooLarge(_ limit: Int64) -> Rejection { Rejection(.fileTooLarge, .apiName("file"), .other("limit", .integer(limit))) }
    static func photoTooLarge(_ limit: Int64) -> Rejection {
        Rejection(.fileSizeMoreThanAllowedSize, .apiName("file"), .other("limit", .integer(limit)))
    }
}
