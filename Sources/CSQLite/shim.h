#ifndef TRIBUTARY_CSQLITE_SHIM_H
#define TRIBUTARY_CSQLITE_SHIM_H

#include <sqlite3.h>

/* Swift cannot call variadic C functions. Each call we need has a plain one here. */

/* Allocation statistics take a process-wide lock on every malloc; nobody reads them. Before the first open only. */
static inline int tributary_sqlite_without_memory_statistics(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* An unknown name in double quotes is an error, not a text, as the SQL standard has it. */
static inline int tributary_sqlite_standard_quotes(sqlite3 *database) {
    int code = sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, (int *)0);
    if (code != SQLITE_OK) return code;
    return sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)0);
}

/* Macros made of other macros, which Swift does not see. */
static const int tributary_sqlite_constraint_primarykey = SQLITE_CONSTRAINT_PRIMARYKEY;
static const int tributary_sqlite_constraint_unique = SQLITE_CONSTRAINT_UNIQUE;

#endif
