import SQLStore

/// The tables behind bulk jobs. The work itself is a row of `sys_job` with the same id.
enum BulkSchema {
    static let statements: [SQL] = [
        // `request` is what was asked, `progress` how far it has come; `result` is a row of sys_file.
        """
        CREATE TABLE sys_bulk_job (id \(.type(.integer)) PRIMARY KEY, operation \(.type(.text)) NOT NULL, user_id \(.type(.integer)) NOT NULL,
            state \(.type(.text)) NOT NULL, request \(.type(.text)) NOT NULL, progress \(.type(.text)) NOT NULL, failure \(.type(.text)),
            result \(.type(.integer)), created_at \(.type(.integer)) NOT NULL, expires_at \(.type(.integer)) NOT NULL,
            download_minute \(.type(.integer)) NOT NULL DEFAULT 0, downloads \(.type(.integer)) NOT NULL DEFAULT 0)\(.strict)
        """,
        "CREATE INDEX sys_bulk_job_due ON sys_bulk_job (expires_at)",
        "CREATE INDEX sys_bulk_job_user ON sys_bulk_job (user_id, download_minute)",
        // Pieces of a result that is not complete: compressed bytes, here or in a file.
        """
        CREATE TABLE sys_bulk_part (job_id \(.type(.integer)) NOT NULL, entry \(.type(.integer)) NOT NULL, number \(.type(.integer)) NOT NULL,
            checksum \(.type(.integer)) NOT NULL, plain_size \(.type(.integer)) NOT NULL, packed_size \(.type(.integer)) NOT NULL,
            bytes \(.type(.blob)), file_id \(.type(.integer)), PRIMARY KEY (job_id, entry, number))\(.strict)
        """,
        // Which record came of a value in a column of a parent's file, for the rows of its children.
        """
        CREATE TABLE sys_bulk_key (job_id \(.type(.integer)) NOT NULL, position \(.type(.integer)) NOT NULL, value \(.type(.text)) NOT NULL,
            record_id \(.type(.integer)) NOT NULL, PRIMARY KEY (job_id, position, value))\(.strict)
        """,
    ]
}
