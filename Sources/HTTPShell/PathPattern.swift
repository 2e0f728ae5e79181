/// The path of a declaration: words and `{parameters}`.
struct PathPattern: Sendable {
    enum Step: Sendable, Hashable {
        case word(String)
        case parameter(String)
    }

    let steps: [Step]

    init(_ path: String) {
        steps = path.split(separator: "/").map { piece in
            piece.first == "{" && piece.last == "}" ? .parameter(String(piece.dropFirst().dropLast())) : .word(String(piece))
        }
    }

    func parameters(in segments: [String]) -> [String: String] {
        var values: [String: String] = [:]
        for (step, segment) in zip(steps, segments) {
            if case .parameter(let name) = step { values[name] = segment }
        }
        return values
    }
}

/// Where a request's path leads to: the endpoints there by method.
struct PathPlace: Sendable {
    let endpoints: [HTTPMethod: Int]
    /// For each segment how it was taken, the deepest first.
    var taken: [Taken]

    enum Taken: Sendable { case apiName, reservedWord, parameter }

    /// Whether this place takes as a parameter what a better one knows as a reserved word.
    func ignoresWordOf(_ better: PathPlace) -> Bool {
        zip(taken, better.taken).contains { $0 == .parameter && $1 == .reservedWord }
    }
}

/// A node of the path tree. Words beat parameters. A reserved word (lower case or with an underscore in front, as
/// `settings`, `actions` and `__apis` are) also keeps its position: no parameter there ever takes it, so `settings/nope`
/// is no record of a module "settings". Words with a capital are names of modules and lists (`Notes`, `Contacts`): what
/// they have no endpoint for falls through to the parameter.
struct PathNode: Sendable {
    private var words: [String: PathNode] = [:]
    private var parameter: [PathNode] = []
    private var endpoints: [HTTPMethod: Int] = [:]

    /// True when that method and path were taken already.
    mutating func insert(_ endpoint: Int, _ method: HTTPMethod, _ steps: ArraySlice<PathPattern.Step>) -> Bool {
        switch steps.first {
        case nil: return endpoints.updateValue(endpoint, forKey: method) != nil
        case .word(let word): return words[word, default: PathNode()].insert(endpoint, method, steps.dropFirst())
        case .parameter:
            if parameter.isEmpty { parameter = [PathNode()] }
            return parameter[0].insert(endpoint, method, steps.dropFirst())
        }
    }

    /// Keeps a path's last word from being taken by a parameter, though nothing is declared there.
    mutating func reserve(_ words: ArraySlice<String>) {
        guard let word = words.first else { return }
        self.words[word, default: PathNode()].reserve(words.dropFirst())
    }

    /// Every place a path may mean, the most literal first.
    func places(for segments: ArraySlice<String>) -> [PathPlace] {
        guard let segment = segments.first else { return endpoints.isEmpty ? [] : [PathPlace(endpoints: endpoints, taken: [])] }
        let rest = segments.dropFirst()
        var places: [PathPlace] = []
        if let node = words[segment] {
            let reserved = Self.isReserved(segment)
            places = node.places(for: rest).map { $0.taking(reserved ? .reservedWord : .apiName) }
            if reserved { return places }
        }
        // Names with two underscores in front are the API's own, never a module's or a record's.
        if !segment.isEmpty, !segment.hasPrefix("__"), let node = parameter.first {
            places += node.places(for: rest).map { $0.taking(.parameter) }
        }
        return places
    }

    static func isReserved(_ word: String) -> Bool {
        guard let first = word.utf8.first else { return false }
        return first == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first)
    }
}

extension PathPlace {
    fileprivate func taking(_ step: Taken) -> PathPlace {
        var place = self
        place.taken.append(step)
        return place
    }
}
