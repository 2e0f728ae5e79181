import CRMCore
import Foundation
import Logging
import SQLStore
import Wire

/// Carries an administrator's request out: through the running server if one holds the data folder, otherwise on the
/// database itself.
enum AdminConnection {
    static func perform(_ request: AdminRequest, _ place: DatabaseOptions) async throws -> JSONValue {
        try await place.whenFree { try await attempt(request, place) }
    }

    private static func attempt(_ request: AdminRequest, _ place: DatabaseOptions) async throws -> JSONValue {
        if let folder = place.folder, let answer = try AdminSocket.ask(folder: folder, request.json) {
            if let problem = answer["error"]?.string { throw CommandFailure(problem) }
            return answer["result"] ?? .null
        }
        do {
            return try await performHere(request, place)
        } catch let failure as AdminFailure {
            throw CommandFailure(failure.message)
        }
    }

    private static func performHere(_ request: AdminRequest, _ place: DatabaseOptions) async throws -> JSONValue {
        var logger = Logger(label: "tributary")
        logger.logLevel = .error
        // The server's flag is not known here; what its sweep has not taken away can be undone, unless the environment says otherwise.
        let undo = ProcessInfo.processInfo.environment["TRIBUTARY_UNDO_DAYS"].flatMap(UndoPeriod.init) ?? .forever
        // Opening would make the file.
        if let folder = place.folder, !FileManager.default.fileExists(atPath: "\(folder)/tributary.db") {
            throw CommandFailure("there is no database in \(folder): `tributary serve` makes one, --data names another folder")
        }
        let start: Bootstrap.Result
        do {
            start = try await Bootstrap.start(
                place.location, undo: undo, demo: false, vault: try EncryptionOptions.fromEnvironment(), logger: logger, creating: false)
        } catch BootstrapError.noDatabase {
            throw CommandFailure("the database is empty: `tributary serve` fills it")
        }
        let answer: Result<JSONValue, any Error>
        do {
            answer = .success(try await Administration(start.services).perform(request))
        } catch {
            answer = .failure(error)
        }
        await start.close()
        return try answer.get()
    }
}
