import Foundation
import Testing

@testable import Wire

@Suite struct ErrorCodeTests {
    @Test(
        arguments: [
            (.mandatoryNotFound, "MANDATORY_NOT_FOUND", 400, "required field not found"),
            (.invalidURLPattern, "INVALID_URL_PATTERN", 404, "Please check if the URL trying to access is a correct one"),
            (.invalidRequestMethod, "INVALID_REQUEST_METHOD", 400, "The http request method type is not a valid one"),
            (.authenticationFailure, "AUTHENTICATION_FAILURE", 401, "Authentication failed"),
            (.oauthScopeMismatch, "OAUTH_SCOPE_MISMATCH", 401, "Unauthorized"),
            (.noPermission, "NO_PERMISSION", 403, "permission denied"),
            (.internalError, "INTERNAL_ERROR", 500, "Internal Server Error"),
            (.alreadyModified, "ALREADY_MODIFIED", 412, "the record has been modified already"),
            (.recordLocked, "RECORD_LOCKED", 400, "record under merge is locked"),
        ] as [(ErrorCode, String, Int, String)])
    func theCommonCodesAreAsInTheContract(_ code: ErrorCode, _ name: String, _ status: Int, _ message: String) {
        #expect(code.name == name)
        #expect(code.status == status)
        #expect(code.message == message)
    }

    @Test func theListIsSortedAndNamesNoCodeTwice() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Wire/ErrorCode.swift")
        let source = try String(contentsOf: file, encoding: .utf8)
        let names = source.matches(of: /ErrorCode\("([A-Z_]+)"/).map { String($0.output.1) }
        #expect(names.count > 100)
        #expect(names == names.sorted())
        #expect(Set(names).count == names.count)
    }
}
