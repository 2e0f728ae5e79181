import ArgumentParser
import CRMCore
import Foundation
import ObjectStore
import SQLStore
import Wire

/// Puts a backup into an empty database.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Restore a backup into a new folder or a new database, on either engine.",
        discussion: "Name all zips of the backup: Data_… and Attachments_…. See docs/backup.md.")

    @Argument(help: "The zips of one backup.")
    var zips: [String]
    @Option(help: "Where uploaded files lie, as with serve.")
    var files: String?
    @Flag(help: "Restore the records without the contents of attachments and images.")
    var withoutFiles = false
    @OptionGroup var place: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let quiet = output.json
        let filePlace = try FilePlace.named(files)
        let location = place.location
        let restore = Restore(location, files: filePlace, withoutFiles: withoutFiles) { line in
            if !quiet { print(line) }
        }
        let zips = zips
        do {
            let summary = try await place.whenFree(orServed: true) { try await restore.run(zips) }
            if output.json {
                return print(
                    (["rows": .integer(summary.rows), "contents": .integer(summary.contents)] as JSONValue).text)
            }
            print(
                "restored \(summary.rows) rows and \(summary.contents) contents of the backup of \(summary.createdAt.iso(offsetMinutes: 0))"
            )
        } catch let failure as RestoreFailure {
            throw CommandFailure(failure.description)
        } catch let failure as ZipFailure {
            throw CommandFailure(failure.description)
        }
    }
}

extension FilePlace {
    /// What `--files` says: nothing, a folder, or a bucket.
    static func named(_ text: String?) throws -> FilePlace {
        guard let text else { return .withDatabase }
        guard text.hasPrefix("s3:") else { return .folder(text) }
        do {
            return .store(S3Store(try S3Place(text, environment: ProcessInfo.processInfo.environment), spoolFolder: SpoolFolder.standard))
        } catch {
            throw CommandFailure("--files: \(error)")
        }
    }
}
