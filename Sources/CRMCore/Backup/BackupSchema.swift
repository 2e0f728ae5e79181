import SQLStore

/// The tables behind backups: what is scheduled, what happened, and the files that can be downloaded.
enum BackupSchema {
    static let statements: [SQL] = [
        // `next_at` is the next run of one that repeats; `job_id` the job that waits for it or does it.
        """
        CREATE TABLE sys_backup (id \(.type(.integer)) PRIMARY KEY, rule \(.type(.text)), status \(.type(.text)) NOT NULL,
            requester \(.type(.integer)) NOT NULL, start_at \(.type(.integer)), next_at \(.type(.integer)), job_id \(.type(.integer)) NOT NULL,
            created_at \(.type(.integer)) NOT NULL)\(.strict)
        """,
        """
        CREATE TABLE sys_backup_log (id \(.type(.integer)) PRIMARY KEY, backup_id \(.type(.integer)) NOT NULL, at \(.type(.integer)) NOT NULL,
            user_id \(.type(.integer)) NOT NULL, state \(.type(.text)), action \(.type(.text)), repeat_type \(.type(.text)) NOT NULL,
            file_name \(.type(.text)))\(.strict)
        """,
        "CREATE INDEX sys_backup_log_at ON sys_backup_log (at)",
        """
        CREATE TABLE sys_backup_file (file_id \(.type(.integer)) PRIMARY KEY, job_id \(.type(.integer)) NOT NULL, kind \(.type(.text)) NOT NULL,
            name \(.type(.text)) NOT NULL, expires_at \(.type(.integer)) NOT NULL)\(.strict)
        """,
        "CREATE INDEX sys_backup_file_job ON sys_backup_file (job_id, name)",
    ]
}
