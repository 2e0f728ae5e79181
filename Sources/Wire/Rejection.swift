/// A request, or one item of it, that is refused: what the caller is told, and with which status.
package struct Rejection: Error, Sendable, Hashable {
    package let code: ErrorCode
    package let message: String
    package let status: Int
    /// An object, in the order the details were given.
    package let details: JSONValue

    /// Message and status are the usual ones of the code unless given.
    package init(_ code: ErrorCode, message: String? = nil, status: Int? = nil, _ details: Detail...) {
        self.init(code, message: message, status: status, details: details)
    }

    package init(_ code: ErrorCode, message: String? = nil, status: Int? = nil, details: [Detail]) {
        self.code = code
        self.message = message ?? code.message
        self.status = status ?? code.status
        self.details = .object(details.flatMap(\.members))
    }

    /// The result object of the answer.
    package var result: JSONValue {
        ["code": .string(code.name), "details": details, "message": .string(message), "status": "error"]
    }
}
