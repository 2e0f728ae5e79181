import Logging
import SQLStore
import Wire

/// Takes away what nobody holds: files past their time, contents without files, uploads that broke off. Every step is on record
/// before it is done, so a crash leaves work for the next sweep and nothing else.
package struct FileSweep: Sendable {
    /// How long a process may take to remove a content before another does it that cannot tell whether the first one lives.
    private static let removalMilliseconds: Int64 = 600_000
    /// Rows in one transaction.
    private static let batch: Int64 = 500

    private let library: FileLibrary
    private let logger: Logger

    package init(_ services: Services) {
        library = services.files
        logger = services.logger
    }

    /// At the start, and every minute until cancelled: nobody can put away anew what a process that was killed had begun to remove.
    package func run() async {
        repeat {
            do { try await sweep() } catch { logger.warning("files could not be swept", metadata: ["error": "\(error)"]) }
        } while (try? await Task.sleep(for: .seconds(60))) != nil
    }

    package func sweep() async throws {
        let now = library.clock()
        while try await dropFiles(now) {}
        while try await removeContents(now) {}
        // Spooled files carry the machine's time, whatever clock the organisation goes by, and others may spool in the same folder.
        try await library.store.clearSpool(before: Instant(milliseconds: Instant.now().milliseconds - FileLibrary.graceMilliseconds))
    }

    /// Returns whether there may be more.
    private func dropFiles(_ now: Instant) async throws -> Bool {
        try await library.database.run(.write) { tx in
            let due = try tx.rows("SELECT id FROM sys_file WHERE expires_at < \(now) ORDER BY expires_at, id LIMIT \(.integer(Self.batch))")
            { $0.integer(0) ?? 0 }
            guard !due.isEmpty else { return false }
            let isHeld: SQL = "EXISTS (SELECT 1 FROM sys_field_file h WHERE h.file_id = sys_file.id)"
            try tx.execute("UPDATE sys_file SET expires_at = NULL WHERE \(.memberIDs("id", due)) AND \(isHeld)")
            let hashes = try tx.rows("DELETE FROM sys_file WHERE \(.memberIDs("id", due)) AND expires_at < \(now) RETURNING hash") {
                $0.text(0) ?? ""
            }
            try tx.execute(
                """
                UPDATE sys_blob SET expires_at = \(now) WHERE \(.memberTexts("hash", hashes)) AND expires_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM sys_file f WHERE f.hash = sys_blob.hash)
                """)
            return due.count == Int(Self.batch)
        }
    }

    private func removeContents(_ now: Instant) async throws -> Bool {
        let going = try await library.database.run(.write) { tx -> [String] in
            // Alone, whatever is marked was left by a process that is gone: of our own nothing is under way here.
            let patience = try ProcessNumbers.othersLive(now: now, tx) ? Self.removalMilliseconds : -1
            let stale = SQLValue.integer(now.milliseconds - patience)
            let due = try tx.rows(
                """
                SELECT hash FROM sys_blob WHERE expires_at <= \(now) AND (removing_since IS NULL OR removing_since < \(stale))
                ORDER BY expires_at, hash LIMIT \(.integer(Self.batch))
                """
            ) { $0.text(0) ?? "" }
            guard !due.isEmpty else { return [] }
            let hasFile: SQL = "EXISTS (SELECT 1 FROM sys_file f WHERE f.hash = sys_blob.hash)"
            try tx.execute("UPDATE sys_blob SET expires_at = NULL WHERE \(.memberTexts("hash", due)) AND \(hasFile)")
            return try tx.rows(
                "UPDATE sys_blob SET removing_since = \(now) WHERE \(.memberTexts("hash", due)) AND expires_at <= \(now) RETURNING hash"
            ) { $0.text(0) ?? "" }
        }
        for hash in going.compactMap(ContentHash.init) { try await library.store.remove(hash) }
        guard !going.isEmpty else { return false }
        try await library.database.run(.write) { tx in
            try tx.execute("DELETE FROM sys_blob WHERE \(.memberTexts("hash", going)) AND removing_since = \(now)")
        }
        return going.count == Int(Self.batch)
    }
}
