/// Why a database could not be opened.
package enum DatabaseError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another process (or another `Database` of this one) works in the folder.
    case alreadyInUse(_ folder: String)
    case cannotOpen(String)
    /// It opened, but lacks what we need.
    case unsuitable(String)

    package var description: String {
        switch self {
        case .alreadyInUse(let folder): "The data folder \(folder) is in use by another process."
        case .cannotOpen(let reason): "The database cannot be opened: \(reason)"
        case .unsuitable(let reason): "The database cannot be used: \(reason)"
        }
    }
}
