import Wire

/// What a user starts with, as the seed file says.
package enum StandardUser {
    package static let defaults: JSONValue = (try? StandardSeed.resource())?["org"]?["user_defaults"] ?? [:]
}
