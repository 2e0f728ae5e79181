// What a careful programmer would write by hand with libpq: the yardstick of merges on PostgreSQL.
//
//   handwritten_postgres URL SQL-FILE PAIR-FILE   the statements of SQL-FILE, prepared, for each pair, one transaction each:
//                                                 milliseconds, one line a pair
//
// SQL-FILE holds statements, one a line; PAIR-FILE holds "master child" lines; a statement sees them as $1 and $2, both bigint.
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void check(PGconn *connection, PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s\n", PQerrorMessage(connection));
        exit(1);
    }
    PQclear(result);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    PGconn *connection = PQconnectdb(argv[1]);
    FILE *sql = fopen(argv[2], "r"), *pairs = fopen(argv[3], "r");
    if (PQstatus(connection) != CONNECTION_OK || !sql || !pairs) {
        fprintf(stderr, "cannot open: %s\n", PQerrorMessage(connection));
        return 1;
    }
    const Oid types[2] = {20, 20};
    char *line = NULL, name[16];
    size_t size = 0;
    int count = 0;
    check(connection, PQprepare(connection, "begin", "BEGIN", 0, NULL));
    check(connection, PQprepare(connection, "commit", "COMMIT", 0, NULL));
    while (getline(&line, &size, sql) > 0) {
        snprintf(name, sizeof name, "s%d", count++);
        check(connection, PQprepare(connection, name, line, 2, types));
    }
    char master[32], child[32];
    const char *values[2] = {master, child};
    while (fscanf(pairs, "%31s %31s", master, child) == 2) {
        double begin = now();
        check(connection, PQexecPrepared(connection, "begin", 0, NULL, NULL, NULL, 0));
        for (int i = 0; i < count; i++) {
            snprintf(name, sizeof name, "s%d", i);
            check(connection, PQexecPrepared(connection, name, 2, values, NULL, NULL, 0));
        }
        check(connection, PQexecPrepared(connection, "commit", 0, NULL, NULL, NULL, 0));
        printf("%.4f\n", (now() - begin) * 1000);
    }
    PQfinish(connection);
    return 0;
}
