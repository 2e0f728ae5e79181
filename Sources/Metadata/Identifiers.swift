import Wire

/// Identifies a module; the number its metadata answers show as `id`.
package struct ModuleID: Sendable, Hashable, Comparable {
    package let raw: Int64
    package init(raw: Int64) { self.raw = raw }
    package static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
}

/// Identifies a field for its whole life, whatever happens to its names.
package struct FieldID: Sendable, Hashable, Comparable {
    package let raw: Int64
    package init(raw: Int64) { self.raw = raw }
    package static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
}

/// Identifies a person who signs in.
package struct UserID: Sendable, Hashable {
    package let raw: Int64
    package init(raw: Int64) { self.raw = raw }
}
