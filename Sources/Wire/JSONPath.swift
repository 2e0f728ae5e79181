/// The way from the body of a request to one of its values, as `json_path` shows it: `$.data[0].Last_Name`.
package struct JSONPath: Sendable, Hashable, CustomStringConvertible {
    /// One step down.
    package enum Step: Sendable, Hashable {
        case member(String)
        case index(Int)
    }

    package var steps: [Step]

    package init(_ steps: [Step] = []) {
        self.steps = steps
    }

    package func appending(_ name: String) -> JSONPath { JSONPath(steps + [.member(name)]) }

    package func appending(_ index: Int) -> JSONPath { JSONPath(steps + [.index(index)]) }

    /// The name of the last member passed; empty at the root.
    package var name: String {
        for step in steps.reversed() {
            if case .member(let name) = step { return name }
        }
        return ""
    }

    package var description: String {
        steps.reduce(into: "$") { text, step in
            switch step {
            case .member(let name): text += ".\(name)"
            case .index(let index): text += "[\(index)]"
            }
        }
    }
}
