import Metadata
import SQLStore

/// A numbered change of the fixed tables. A landed one is never edited; the next change is a new one.
package struct Migration: Sendable {
    package let number: Int64
    package let purpose: String
    package let statements: [SQL]
    /// What cannot be said as statements, because it depends on the data.
    let body: (@Sendable (Transaction) throws -> Void)?

    init(number: Int64, purpose: String, statements: [SQL] = [], body: (@Sendable (Transaction) throws -> Void)? = nil) {
        self.number = number
        self.purpose = purpose
        self.statements = statements
        self.body = body
    }
}

/// A later program has changed the tables: this one would not know what it writes to.
package struct NewerDatabase: Error, CustomStringConvertible {
    package let migrations: [Int64]

    package var description: String {
        "the database was changed by a later version of Tributary (migration \(migrations.map(String.init).joined(separator: ", "))): start that one, or restore a backup made before"
    }
}

/// The fixed tables, in the order they came to be.
package enum Migrations {
    package static let all: [Migration] = [
        Migration(number: 1, purpose: "metadata", statements: MetadataStore.schema),
        Migration(number: 2, purpose: "change log and graves", statements: ChangeLog.schema + Graves.schema),
        Migration(
            number: 3, purpose: "jobs, counters and processes",
            statements: JobQueue.schema + Counters.schema + ProcessNumbers.schema + SharedSecrets.schema),
        Migration(number: 4, purpose: "merges", statements: MergeJournal.schema),
        Migration(number: 5, purpose: "tags", statements: TagStore.schema),
        Migration(number: 6, purpose: "clients and tokens", statements: OAuthSchema.schema),
        Migration(number: 7, purpose: "idempotency keys", statements: IdempotencyKeys.schema),
        Migration(number: 8, purpose: "files", statements: FilesSchema.statements),
        Migration(number: 9, purpose: "shares", statements: RecordShares.schema),
        Migration(number: 10, purpose: "locks", statements: RecordLocks.schema),
        Migration(number: 11, purpose: "search index", statements: SearchIndex.schema),
        Migration(number: 12, purpose: "event participants", statements: EventParticipants.schema),
        Migration(number: 20, purpose: "what went to the recycle bin with a record", statements: Graves.rootSchema),
        Migration(number: 21, purpose: "what was merged into a record", statements: Timeline.schema),
        Migration(number: 22, purpose: "shares by whom they are for", statements: RecordShares.targetSchema + Graves.ownerSchema),
        Migration(number: 23, purpose: "records by owner", body: OwnerIndex.build),
        Migration(number: 24, purpose: "territories of records", statements: RecordTerritories.schema),
        Migration(number: 26, purpose: "bulk jobs", statements: BulkSchema.statements),
        Migration(number: 28, purpose: "credits used, and when jobs began", statements: CreditLedger.schema + JobQueue.beganSchema),
        Migration(number: 29, purpose: "backups", statements: BackupSchema.statements),
        Migration(
            number: 30, purpose: "notification channels", statements: Channels.schema + ChangeFeed.schema + DeliveryQueue.schema),
        Migration(number: 32, purpose: "conversions", statements: Conversions.schema),
        Migration(
            number: 33, purpose: "unique values of converted records are free",
            body: { tx in try SchemaPlan.reopening(try MetadataStore.load(tx)).execute(tx) }),
        Migration(number: 34, purpose: "digits of telephone numbers in the search index", statements: SearchIndex.anew),
        Migration(number: 35, purpose: "external values of single users", statements: ExternalValues.schema),
        Migration(number: 36, purpose: "one link row for each pair", body: LinkPairs.migrate),
        Migration(
            number: 37, purpose: "the end of journals, and undos as jobs", statements: MergeJournal.endSchema + ScheduledUndos.schema),
        Migration(number: 38, purpose: "mails", statements: Outbox.schema),
        Migration(number: 49, purpose: "records in blueprints", statements: BlueprintRecords.schema),
        Migration(
            number: 43, purpose: "e-mails of records",
            statements: Emails.schema + Outbox.emailSchema + BlockedAddresses.schema + TemplateStore.schema + JobQueue.postponedSchema),
        Migration(number: 44, purpose: "invitations of users", statements: Invitations.schema),
        Migration(
            number: 46, purpose: "automation: in the change log, whose turn it is, who is away",
            statements: AutomationMark.schema + AssignmentTurns.schema + Unavailability.schema),
        Migration(number: 47, purpose: "scores", statements: Scores.schema),
        Migration(number: 50, purpose: "portal users", statements: PortalUsers.schema),
        Migration(number: 51, purpose: "records in cadences", statements: CadenceRecords.schema),
    ]

    /// Serialises the migrations of several processes starting at once.
    private static let lockKey: Int64 = 0x7472_6962

    /// The numbers of those a database has.
    static func applied(_ tx: Transaction) throws -> [Int64] {
        try tx.rows("SELECT number FROM sys_migration ORDER BY number") { $0.integer(0) ?? 0 }
    }

    /// Applies what is missing, all in one transaction. Returns whether the database was empty. `wanted` are those that a backup knew;
    /// the others come after its rows.
    static func apply(_ tx: Transaction, only wanted: Set<Int64>? = nil) throws -> Bool {
        try tx.advisoryLock(lockKey, exclusive: true)
        try tx.execute(
            "CREATE TABLE IF NOT EXISTS sys_migration (number \(.type(.integer)) PRIMARY KEY, purpose \(.type(.text)) NOT NULL)\(.strict)")
        // By number rather than above the highest: numbers are reserved ahead, and may land out of turn.
        let done = Set(try tx.rows("SELECT number FROM sys_migration") { $0.integer(0) ?? 0 })
        let newer = done.subtracting(all.map(\.number)).sorted()
        guard newer.isEmpty else { throw NewerDatabase(migrations: newer) }
        for migration in all where !done.contains(migration.number) && wanted?.contains(migration.number) != false {
            for statement in migration.statements { try tx.execute(statement) }
            try migration.body?(tx)
            try tx.execute(
                "INSERT INTO sys_migration (number, purpose) VALUES (\(.integer(migration.number)), \(.text(migration.purpose)))")
        }
        return done.isEmpty
    }
}
