import SQLStore

/// Where an installation keeps the contents of files.
package enum FilePlace: Sendable {
    /// In the data folder; in the database when there is no such folder.
    case withDatabase
    case folder(String)
    /// Somewhere else, such as a bucket.
    case store(any FileStore)

    func store(_ location: Database.Location, _ database: Database) throws -> any FileStore {
        switch (self, location) {
        case (.store(let store), _): store
        case (.folder(let folder), _): try FolderStore(folder)
        case (.withDatabase, .sqlite(let folder)): try FolderStore(folder + "/files")
        case (.withDatabase, .postgres): DatabaseStore(database)
        }
    }
}
