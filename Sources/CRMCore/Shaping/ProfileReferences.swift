import Metadata
import Wire

/// Profiles named by id in a request that shapes the organisation.
struct ProfileReferences {
    let catalog: Catalog

    /// The profiles an array names. Without one there is nobody to show the thing to.
    func read(_ array: JSONCursor) throws(Rejection) -> [(profile: Document, item: JSONCursor)] {
        if array.value.isNull { throw tooFew(array) }
        var found: [(Document, JSONCursor)] = []
        for item in try array.elements() { found.append((try one(item), item)) }
        if found.isEmpty { throw tooFew(array) }
        return found
    }

    func tooFew(_ array: JSONCursor) -> Rejection {
        Rejection(.minimumDataNotFound, .apiName("profiles"), .jsonPath(array.path), .minimumLength(1))
    }

    private func one(_ item: JSONCursor) throws(Rejection) -> Document {
        let id = try item.required("id")
        let wanted = try id.recordID()
        guard let profile = catalog.documents(.profile).first(where: { $0.id == wanted }) else { throw .invalid(at: id.path) }
        return profile
    }

    static func short(_ profile: Document) -> JSONValue { ["name": profile.body["name"] ?? .null, "id": .id(profile.id)] }
}
