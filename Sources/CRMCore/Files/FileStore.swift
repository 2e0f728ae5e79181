import Wire

/// Where contents lie. Every operation can be repeated, whatever became of an earlier try.
package protocol FileStore: Sendable {
    /// A folder in which uploads are collected until they are put away.
    var spoolFolder: String { get }
    /// Takes a finished content over. Durable when it returns.
    func put(_ hash: ContentHash, from spool: Spool) async throws
    /// `count` bytes from `offset`; fewer at the end, `nil` when there is no such content.
    func read(_ hash: ContentHash, at offset: Int64, count: Int) async throws -> [UInt8]?
    func remove(_ hash: ContentHash) async throws
    /// Clears away uploads that broke off before this moment.
    func clearSpool(before moment: Instant) async throws
}
