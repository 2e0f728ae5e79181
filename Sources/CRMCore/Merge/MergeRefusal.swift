import Wire

/// A refused merge, with the envelope it goes into: about the one merge object (wrapped), or about everything around it.
package struct MergeRefusal: Error, Sendable {
    package let rejection: Rejection
    package let wrapped: Bool

    static func top(_ rejection: Rejection) -> MergeRefusal { .init(rejection: rejection, wrapped: false) }
    static func wrapped(_ rejection: Rejection) -> MergeRefusal { .init(rejection: rejection, wrapped: true) }
}
