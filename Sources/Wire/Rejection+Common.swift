// The refusals that occur everywhere, named as they are said.

extension Rejection {
    /// A mandatory key is absent or null. The path is that of the object it belongs to; one that ends in the key
    /// already is taken as the key's own.
    package static func missing(_ name: String, at path: JSONPath) -> Rejection {
        let own = path.steps.last == .member(name) ? path : path.appending(name)
        return Rejection(.mandatoryNotFound, .apiName(name), .jsonPath(own))
    }

    /// A value of another JSON or field type than `text`, `integer`, `jsonarray` and so on.
    package static func wrongType(_ expected: String, at path: JSONPath) -> Rejection {
        Rejection(.invalidData, details: [.expectedType(expected)] + place(path))
    }

    /// A text or array longer than allowed.
    package static func tooLong(_ maximum: Int, at path: JSONPath) -> Rejection {
        Rejection(.invalidData, details: place(path) + [.maximumLength(maximum)])
    }

    /// A text or array shorter than allowed.
    package static func tooShort(_ minimum: Int, at path: JSONPath) -> Rejection {
        Rejection(.invalidData, details: place(path) + [.minimumLength(minimum)])
    }

    /// A value of the right type that will not do.
    package static func invalid(at path: JSONPath, message: String? = nil) -> Rejection {
        Rejection(.invalidData, message: message, details: place(path))
    }

    /// A value outside a fixed list.
    package static func unsupported(_ supported: [String], at path: JSONPath) -> Rejection {
        Rejection(.invalidData, details: place(path) + [.supportedValues(supported)])
    }

    /// A value that must be unique and is not.
    package static func duplicate(at path: JSONPath, message: String? = nil) -> Rejection {
        Rejection(.duplicateData, message: message, details: place(path))
    }

    /// Forbidden by the state of things, or by a rule.
    package static func notAllowed(at path: JSONPath, message: String? = nil) -> Rejection {
        Rejection(.notAllowed, message: message, details: place(path))
    }

    /// The module in the path is unknown, hidden, or not served there.
    package static func invalidModule(pathIndex: Int = 0) -> Rejection {
        Rejection(.invalidModule, .resourcePathIndex(pathIndex))
    }

    /// The id in the path, counted from zero with the module, names nothing the caller may see.
    package static func invalidPathID(_ index: Int) -> Rejection {
        Rejection(.invalidData, message: "the id given seems to be invalid", .resourcePathIndex(index))
    }

    /// A mandatory query parameter is absent.
    package static func missingParameter(_ name: String) -> Rejection {
        Rejection(.requiredParamMissing, .parameter(name))
    }

    /// A query parameter holds something else than it may.
    package static func invalidParameter(_ name: String, message: String? = nil) -> Rejection {
        Rejection(.invalidData, message: message, .parameter(name))
    }

    /// The caller's profile lacks a right.
    package static func noPermission(_ permissions: String...) -> Rejection {
        permissions.isEmpty ? Rejection(.noPermission) : Rejection(.noPermission, .permissions(permissions))
    }

    /// The body as a whole has no name, only a path.
    private static func place(_ path: JSONPath) -> [Detail] {
        path.name.isEmpty ? [.jsonPath(path)] : [.apiName(path.name), .jsonPath(path)]
    }
}
