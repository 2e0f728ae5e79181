import HTTPShell

/// Many records at once, through files.
let bulkEndpoints: [any Endpoint.Type] = [
    CreateBulkRead.self, GetBulkRead.self, DownloadBulkRead.self, UploadBulkFile.self, CreateBulkWrite.self, GetBulkWrite.self,
    DownloadBulkWrite.self,
]
