// What a careful programmer would write by hand with SQLite's C interface: the yardstick of `make bench`.
//
//   handwritten repeat  DB SQL-FILE SECONDS THREADS         one prepared SELECT, again and again: "runs per second"
//   handwritten insert  DB SQL-FILE ROW-FILE BATCH SECONDS  prepared INSERTs, BATCH rows a transaction: "rows per second"
//   handwritten merge   DB SQL-FILE PAIR-FILE               the statements of SQL-FILE for each pair, one transaction
//                                                           each: milliseconds, one line a pair
//
// SQL-FILE holds statements, one a line. ROW-FILE holds the values of rows, one row a line, tab-separated, each led by
// i (integer), r (real), t (text) or n (null); every statement sees them as ?1, ?2, …, and ?1 is the id, counted up from
// the first row's. PAIR-FILE holds "master child" lines; a statement sees them as ?1 and ?2.
//
// Durability is as the server's: WAL, synchronous=FULL.
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(sqlite3 *db, const char *what) {
    fprintf(stderr, "%s: %s\n", what, db ? sqlite3_errmsg(db) : "");
    exit(1);
}

// The server's indexes of text are over fold(text). The data here is ASCII, for which folding is this.
static void fold(sqlite3_context *context, int count, sqlite3_value **values) {
    (void)count;
    const unsigned char *text = sqlite3_value_text(values[0]);
    if (!text) return;
    int size = sqlite3_value_bytes(values[0]), upper = 0;
    for (int i = 0; i < size && !upper; i++) upper = text[i] >= 'A' && text[i] <= 'Z';
    if (!upper) {
        sqlite3_result_value(context, values[0]);
        return;
    }
    char *folded = sqlite3_malloc(size + 1);
    for (int i = 0; i < size; i++) folded[i] = text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i];
    sqlite3_result_text(context, folded, size, sqlite3_free);
}

static sqlite3 *open_database(const char *path) {
    sqlite3 *db;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)) fail(db, path);
    const char *settings = "PRAGMA busy_timeout=10000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000";
    if (sqlite3_exec(db, settings, NULL, NULL, NULL)) fail(db, "settings");
    if (sqlite3_create_function(db, "fold", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, fold, NULL, NULL)) fail(db, "fold");
    return db;
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(NULL, path);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = malloc(size + 1);
    if (fread(text, 1, size, file) != (size_t)size) fail(NULL, path);
    text[size] = 0;
    fclose(file);
    return text;
}

static char **lines(char *text, int *count) {
    char **list = NULL;
    *count = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        list = realloc(list, (*count + 1) * sizeof *list);
        list[(*count)++] = line;
    }
    return list;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL)) fail(db, sql);
    return statement;
}

static void run(sqlite3 *db, sqlite3_stmt *statement) {
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    }
    if (code != SQLITE_DONE) fail(db, sqlite3_sql(statement));
    sqlite3_reset(statement);
}

struct repeater {
    const char *path, *sql;
    double seconds, rate;
    long bytes;
};

static void *repeat_thread(void *argument) {
    struct repeater *self = argument;
    sqlite3 *db = open_database(self->path);
    sqlite3_stmt *statement = prepare(db, self->sql);
    long runs = 0;
    double begin = now();
    do {
        int code;
        self->bytes = 0;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
            // The bytes are touched, as they would be on their way to a socket.
            const unsigned char *text = sqlite3_column_text(statement, 0);
            self->bytes += sqlite3_column_bytes(statement, 0) + (text ? text[0] == 0 : 0);
        }
        if (code != SQLITE_DONE) fail(db, "step");
        sqlite3_reset(statement);
        runs++;
    } while (now() - begin < self->seconds);
    self->rate = runs / (now() - begin);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return NULL;
}

static void repeat(const char *path, const char *sql, double seconds, int count) {
    struct repeater all[64];
    pthread_t threads[64];
    double rate = 0;
    for (int i = 0; i < count; i++) {
        all[i] = (struct repeater){path, sql, seconds, 0, 0};
        pthread_create(&threads[i], NULL, repeat_thread, &all[i]);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        rate += all[i].rate;
    }
    printf("%.1f %ld\n", rate, all[0].bytes);
}

struct value {
    char kind;
    char *text;
    int length;
};

static void bind_row(sqlite3_stmt *statement, struct value *row, long id) {
    int width = sqlite3_bind_parameter_count(statement);
    if (width > 0) sqlite3_bind_int64(statement, 1, id);
    for (int c = 1; c < width; c++) {
        switch (row[c].kind) {
        case 'i': sqlite3_bind_int64(statement, c + 1, atoll(row[c].text)); break;
        case 'r': sqlite3_bind_double(statement, c + 1, atof(row[c].text)); break;
        case 't': sqlite3_bind_text(statement, c + 1, row[c].text, row[c].length, SQLITE_STATIC); break;
        default: sqlite3_bind_null(statement, c + 1);
        }
    }
}

static void insert(const char *path, char *sql, char *data, int batch, double seconds) {
    sqlite3 *db = open_database(path);
    sqlite3_stmt *begin_it = prepare(db, "BEGIN IMMEDIATE"), *commit = prepare(db, "COMMIT"), *statements[8];
    int count, statement_count, width = 0;
    char **texts = lines(sql, &statement_count), **rows = lines(data, &count);
    for (int s = 0; s < statement_count; s++) {
        statements[s] = prepare(db, texts[s]);
        int parameters = sqlite3_bind_parameter_count(statements[s]);
        if (parameters > width) width = parameters;
    }
    struct value *values = calloc((size_t)count * width, sizeof *values);
    for (int r = 0; r < count; r++) {
        char *cell = rows[r];
        for (int c = 0; c < width; c++) {
            char *end = strchr(cell, '\t');
            if (end) *end = 0;
            values[r * width + c] = (struct value){cell[0], cell + 1, (int)strlen(cell + 1)};
            cell = end ? end + 1 : cell + strlen(cell);
        }
    }
    long id = atol(values[0].text), done = 0;
    double begin = now();
    do {
        run(db, begin_it);
        for (int i = 0; i < batch; i++, id++, done++) {
            for (int s = 0; s < statement_count; s++) {
                bind_row(statements[s], values + (size_t)(done % count) * width, id);
                run(db, statements[s]);
            }
        }
        run(db, commit);
    } while (now() - begin < seconds);
    printf("%.1f %ld\n", done / (now() - begin), done);
}

static void merge(const char *path, char *sql, char *pairs) {
    sqlite3 *db = open_database(path);
    int count, pair_count;
    char **texts = lines(sql, &count);
    sqlite3_stmt **statements = calloc(count, sizeof *statements);
    for (int i = 0; i < count; i++) statements[i] = prepare(db, texts[i]);
    sqlite3_stmt *begin_it = prepare(db, "BEGIN IMMEDIATE"), *commit = prepare(db, "COMMIT");
    char **list = lines(pairs, &pair_count);
    for (int p = 0; p < pair_count; p++) {
        long long master, child;
        if (sscanf(list[p], "%lld %lld", &master, &child) != 2) fail(NULL, "pair");
        double begin = now();
        run(db, begin_it);
        for (int i = 0; i < count; i++) {
            int parameters = sqlite3_bind_parameter_count(statements[i]);
            if (parameters >= 1) sqlite3_bind_int64(statements[i], 1, master);
            if (parameters >= 2) sqlite3_bind_int64(statements[i], 2, child);
            run(db, statements[i]);
        }
        run(db, commit);
        printf("%.4f\n", (now() - begin) * 1000);
    }
}

int main(int argc, char **argv) {
    if (argc == 6 && !strcmp(argv[1], "repeat")) repeat(argv[2], read_file(argv[3]), atof(argv[4]), atoi(argv[5]));
    else if (argc == 7 && !strcmp(argv[1], "insert")) insert(argv[2], read_file(argv[3]), read_file(argv[4]), atoi(argv[5]), atof(argv[6]));
    else if (argc == 5 && !strcmp(argv[1], "merge")) merge(argv[2], read_file(argv[3]), read_file(argv[4]));
    else {
        fprintf(stderr, "see the head of handwritten.c for its use\n");
        return 2;
    }
    return 0;
}
