/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/mem.h"
#include "store/db_private.h"
#include "store/migrations_private.h"
#include "unit/scratch.h"
#include "unit/test.h"

#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static sw_error error;

static sw_status open_in(sw_db **db, const char *dir) {
    *db = NULL;
    return sw_db_open(db, scratch_path(dir, "slipway.db"), &error);
}

/* A table to play with: counters of the first migration, which has a key and a number. */
typedef struct put {
    const char *name;
    int64_t value;
    sw_code then_fail; /* after the row is in */
} put;

static sw_status do_put(sw_conn *conn, void *context, sw_error *why) {
    const put *p = context;
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(
        &stmt, conn, "INSERT INTO counters (namespace, name, value) VALUES ('t', ?1, ?2)", why));
    sw_stmt_bind_str(stmt, 1, sw_str_of(p->name));
    sw_stmt_bind_i64(stmt, 2, p->value);
    SW_TRY(sw_stmt_run(stmt, why));
    return p->then_fail ? sw_fail(why, p->then_fail, "changed my mind") : SW_OK;
}

static sw_status put_one(sw_db *db, const char *name, int64_t value) {
    put p = {name, value, SW_CODE_OK};
    return sw_db_write(db, do_put, &p, &error);
}

typedef struct sum {
    int64_t rows, total;
} sum;

static sw_status do_sum(sw_conn *conn, void *context, sw_error *why) {
    sum *s = context;
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_stmt_begin(
        &stmt, conn, "SELECT COUNT(*), COALESCE(SUM(value), 0) FROM counters WHERE namespace = 't'",
        why));
    SW_TRY(sw_stmt_step(&row, stmt, why));
    *s = (sum){sw_stmt_i64(stmt, 0), sw_stmt_i64(stmt, 1)};
    return SW_OK;
}

static sum sum_of(sw_db *db) {
    sum s = {-1, -1};
    CHECK_OK(sw_db_read(db, do_sum, &s, &error), error);
    return s;
}

TEST(db__keeps_what_was_written_over_a_reopening) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    CHECK_OK(put_one(db, "a", 7), error);
    CHECK_INT(sum_of(db).total, 7);
    sw_db_close(db);
    CHECK(access(scratch_path(dir, "slipway.db-wal"), F_OK) != 0); /* the log went into the file */
    REQUIRE_OK(open_in(&db, dir), error);
    CHECK_INT(sum_of(db).total, 7);
    sw_db_close(db);
    scratch_remove(dir);
}

TEST(db__makes_its_folder_for_the_owner_alone) {
    char dir[SCRATCH_BYTES];
    sw_db *db = NULL;
    struct stat facts;
    scratch_make(dir);
    REQUIRE_OK(sw_db_open(&db, scratch_path(dir, "a/b/slipway.db"), &error), error);
    CHECK(stat(scratch_path(dir, "a/b"), &facts) == 0);
    CHECK_INT(facts.st_mode & 0777, 0700);
    CHECK(stat(scratch_path(dir, "a/b/slipway.db"), &facts) == 0);
    CHECK_INT(facts.st_mode & 0777, 0600);
    CHECK_OK(put_one(db, "a", 1), error);
    CHECK(stat(scratch_path(dir, "a/b/slipway.db-wal"), &facts) == 0);
    CHECK_INT(facts.st_mode & 0777, 0600);
    sw_db_close(db);
    scratch_remove(dir);
}

TEST(write__that_fails_leaves_nothing_and_says_why) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    put p = {"a", 1, SW_CODE_REFUSED};
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    CHECK_INT(sw_db_write(db, do_put, &p, &error).code, SW_CODE_REFUSED);
    CHECK_TEXT(error.text, "changed my mind");
    CHECK_INT(sum_of(db).rows, 0);
    CHECK_OK(put_one(db, "a", 1), error);
    CHECK_INT(put_one(db, "a", 2).code, SW_CODE_CONFLICT);
    CHECK_HAS(error.text, "UNIQUE");
    CHECK_INT(sum_of(db).total, 1);
    sw_db_close(db);
    scratch_remove(dir);
}

/* ---- One group ---- */

typedef struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool entered, open;
} gate;

static sw_status do_wait(sw_conn *conn, void *context, sw_error *why) {
    (void)conn;
    (void)why;
    gate *g = context;
    pthread_mutex_lock(&g->mutex);
    g->entered = true;
    pthread_cond_broadcast(&g->changed);
    while (!g->open)
        pthread_cond_wait(&g->changed, &g->mutex);
    pthread_mutex_unlock(&g->mutex);
    return SW_OK;
}

typedef struct caller {
    sw_db *db;
    put p;
    gate *g;
    int number;
    sw_status status;
    sw_error why;
    pthread_t thread;
} caller;

static void *hold_writer(void *context) {
    caller *c = context;
    c->status = sw_db_write(c->db, do_wait, c->g, &c->why);
    return NULL;
}

static void *call_put(void *context) {
    caller *c = context;
    c->status = sw_db_write(c->db, do_put, &c->p, &c->why);
    return NULL;
}

TEST(group__keeps_the_good_writes_when_one_among_them_fails) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    gate g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};
    caller holder = {.g = &g}, callers[5];
    static const char *const names[] = {"a", "b", "a", "d", "e"}; /* the third collides */
    uint64_t writes, commits;
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    holder.db = db;
    pthread_create(&holder.thread, NULL, hold_writer, &holder);
    pthread_mutex_lock(&g.mutex);
    while (!g.entered)
        pthread_cond_wait(&g.changed, &g.mutex);
    pthread_mutex_unlock(&g.mutex);
    for (int i = 0; i < 5; i++) {
        callers[i] = (caller){.db = db, .p = {names[i], 1, i == 3 ? SW_CODE_REFUSED : SW_CODE_OK}};
        pthread_create(&callers[i].thread, NULL, call_put, &callers[i]);
        while (sw_db_waiting(db) <= (size_t)i) /* in order, behind the one that holds the writer */
            usleep(100);
    }
    pthread_mutex_lock(&g.mutex);
    g.open = true;
    pthread_cond_broadcast(&g.changed);
    pthread_mutex_unlock(&g.mutex);
    pthread_join(holder.thread, NULL);
    for (int i = 0; i < 5; i++)
        pthread_join(callers[i].thread, NULL);
    CHECK_OK(callers[0].status, callers[0].why);
    CHECK_OK(callers[1].status, callers[1].why);
    CHECK_INT(callers[2].status.code, SW_CODE_CONFLICT);
    CHECK_INT(callers[3].status.code, SW_CODE_REFUSED);
    CHECK_OK(callers[4].status, callers[4].why);
    CHECK_INT(sum_of(db).rows, 3);
    sw_db_counts(db, &writes, &commits);
    CHECK_INT(writes, 6);
    CHECK_INT(commits, 2); /* the holder's, and one for the five */
    sw_db_close(db);
    scratch_remove(dir);
}

/* ---- After the commit ---- */

typedef struct told {
    sw_task task;
    int times;
    sw_code then_fail;
} told;

static void tell(sw_task *task) {
    SW_CONTAINER(task, told, task)->times++;
}

static sw_status do_tell(sw_conn *conn, void *context, sw_error *why) {
    told *t = context;
    t->task.run = tell;
    sw_conn_after_commit(conn, &t->task);
    return t->then_fail ? sw_fail(why, t->then_fail, "no") : SW_OK;
}

TEST(after_commit__runs_for_a_write_that_lasts_and_not_for_one_that_fails) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    told good = {.times = 0}, bad = {.then_fail = SW_CODE_REFUSED};
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    CHECK_OK(sw_db_write(db, do_tell, &good, &error), error);
    CHECK_INT(sw_db_write(db, do_tell, &bad, &error).code, SW_CODE_REFUSED);
    CHECK_INT(good.times, 1);
    CHECK_INT(bad.times, 0);
    sw_db_close(db);
    scratch_remove(dir);
}

/* ---- Reading ---- */

typedef struct view {
    sw_db *db;
    sum before, after;
} view;

static void *write_meanwhile(void *context) {
    CHECK_OK(put_one(context, "meanwhile", 1), error);
    return NULL;
}

static sw_status do_look_twice(sw_conn *conn, void *context, sw_error *why) {
    view *v = context;
    pthread_t other;
    SW_TRY(do_sum(conn, &v->before, why));
    pthread_create(&other, NULL, write_meanwhile, v->db);
    pthread_join(other, NULL);
    return do_sum(conn, &v->after, why);
}

TEST(read__sees_one_moment) {
    char dir[SCRATCH_BYTES];
    view v;
    scratch_make(dir);
    REQUIRE_OK(open_in(&v.db, dir), error);
    CHECK_OK(sw_db_read(v.db, do_look_twice, &v, &error), error);
    CHECK_INT(v.before.rows, 0);
    CHECK_INT(v.after.rows, 0);
    CHECK_INT(sum_of(v.db).rows, 1);
    sw_db_close(v.db);
    scratch_remove(dir);
}

static sw_status do_write_in_read(sw_conn *conn, void *context, sw_error *why) {
    put p = {"x", 1, SW_CODE_OK};
    (void)context;
    return do_put(conn, &p, why);
}

TEST(read__cannot_write) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    CHECK_INT(sw_db_read(db, do_write_in_read, NULL, &error).code, SW_CODE_IO);
    CHECK_HAS(error.text, "readonly");
    CHECK_INT(sum_of(db).rows, 0);
    sw_db_close(db);
    scratch_remove(dir);
}

/* ---- Statements ---- */

static sw_status do_types(sw_conn *conn, void *context, sw_error *why) {
    sw_arena *arena = context;
    sw_stmt *stmt, *again;
    bool row;
    static const char sql[] = "SELECT ?1, ?2, ?3, ?4, ?5";
    SW_TRY(sw_stmt_begin(&stmt, conn, sql, why));
    sw_stmt_bind_str(stmt, 1, SW_STR("na\xc3\xafve"));
    sw_stmt_bind_i64(stmt, 2, INT64_MIN);
    sw_stmt_bind_f64(stmt, 3, 0.1);
    sw_stmt_bind_blob(stmt, 4, ((sw_str){"a\0b", 3}));
    sw_stmt_bind_null(stmt, 5);
    SW_TRY(sw_stmt_step(&row, stmt, why));
    CHECK(row);
    CHECK_STR(sw_stmt_str(stmt, 0, arena), "na\xc3\xafve");
    CHECK_INT(sw_stmt_i64(stmt, 1), INT64_MIN);
    CHECK(sw_stmt_f64(stmt, 2) == 0.1);
    sw_str blob = sw_stmt_str(stmt, 3, arena);
    CHECK(blob.len == 3 && memcmp(blob.at, "a\0b", 3) == 0);
    CHECK(sw_stmt_is_null(stmt, 4) && sw_stmt_str(stmt, 4, arena).at == NULL);
    /* The same text while it is still open is another statement. */
    SW_TRY(sw_stmt_begin(&again, conn, sql, why));
    sw_stmt_bind_str(again, 1, SW_STR(""));
    sw_stmt_bind_str(again, 2, (sw_str){0});
    SW_TRY(sw_stmt_step(&row, again, why));
    CHECK(again != stmt && row);
    sw_str empty = sw_stmt_str(again, 0, arena);
    CHECK(empty.at != NULL && empty.len == 0);
    CHECK(sw_stmt_is_null(again, 1));
    CHECK_INT(sw_stmt_i64(stmt, 1), INT64_MIN);
    return SW_OK; /* both are left open: they are ended for us */
}

TEST(statement__binds_and_reads_every_type) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    sw_arena arena = {0};
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    for (int i = 0; i < 3; i++)
        CHECK_OK(sw_db_read(db, do_types, &arena, &error), error);
    CHECK_OK(sw_db_write(db, do_types, &arena, &error), error);
    sw_arena_free(&arena);
    sw_db_close(db);
    scratch_remove(dir);
}

/* More texts than the cache has places, twice, each still giving its own answer. */
static sw_status do_many(sw_conn *conn, void *context, sw_error *why) {
    char(*texts)[32] = context;
    for (int i = 0; i < 400; i++) {
        sw_stmt *stmt;
        bool row;
        SW_TRY(sw_stmt_begin(&stmt, conn, texts[i % 200], why));
        SW_TRY(sw_stmt_step(&row, stmt, why));
        CHECK_INT(sw_stmt_i64(stmt, 0), i % 200);
        if (i % 3)
            sw_stmt_end(stmt); /* and some are left open */
    }
    return SW_OK;
}

static sw_status do_reused_text(sw_conn *conn, void *context, sw_error *why) {
    char *text = context;
    for (int i = 0; i < 3; i++) {
        sw_stmt *stmt;
        bool row;
        snprintf(text, 32, "SELECT %d", i);
        SW_TRY(sw_stmt_begin(&stmt, conn, text, why));
        SW_TRY(sw_stmt_step(&row, stmt, why));
        CHECK_INT(sw_stmt_i64(stmt, 0), i);
        sw_stmt_end(stmt);
    }
    return SW_OK;
}

TEST(statement_cache__never_gives_another_texts_statement) {
    char dir[SCRATCH_BYTES];
    static char texts[200][32];
    sw_db *db;
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    for (int i = 0; i < 200; i++)
        snprintf(texts[i], sizeof texts[i], "SELECT %d", i);
    for (int i = 0; i < 2; i++)
        CHECK_OK(sw_db_read(db, do_many, texts, &error), error);
    CHECK_OK(sw_db_read(db, do_reused_text, texts[0], &error), error);
    sw_db_close(db);
    scratch_remove(dir);
}

static sw_status do_bad_sql(sw_conn *conn, void *context, sw_error *why) {
    sw_stmt *stmt;
    (void)context;
    return sw_stmt_begin(&stmt, conn, "SELEKT 1", why);
}

TEST(statement__that_is_wrong_is_an_internal_error) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    CHECK_INT(sw_db_read(db, do_bad_sql, NULL, &error).code, SW_CODE_INTERNAL);
    CHECK_HAS(error.text, "SELEKT");
    sw_db_close(db);
    scratch_remove(dir);
}

#ifdef SW_FAULTS
static sw_status do_read_without_memory(sw_conn *conn, void *context, sw_error *why) {
    sw_arena *arena = context;
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_stmt_begin(&stmt, conn, "SELECT 'text'", why));
    SW_TRY(sw_stmt_step(&row, stmt, why));
    sw_mem_fail_at(1);
    (void)sw_stmt_str(stmt, 0, arena);
    sw_mem_fail_at(0);
    return SW_OK;
}

TEST(read__that_could_not_keep_a_text_fails) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    sw_arena arena = {0};
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    CHECK_INT(sw_db_read(db, do_read_without_memory, &arena, &error).code, SW_CODE_NO_MEMORY);
    CHECK_INT(sum_of(db).rows, 0); /* and the reader is good for the next */
    sw_arena_free(&arena);
    sw_db_close(db);
    scratch_remove(dir);
}
#endif

/* ---- Opening ---- */

TEST(open__refuses_a_folder_that_is_in_use_and_says_by_whom) {
    char dir[SCRATCH_BYTES], mine[64];
    sw_db *db, *second;
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    CHECK_INT(open_in(&second, dir).code, SW_CODE_CONFLICT);
    snprintf(mine, sizeof mine, "is in use by another server (process %d)", (int)getpid());
    CHECK_HAS(error.text, mine);
    CHECK_HAS(error.text, dir);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(open_in(&second, dir).code == SW_CODE_CONFLICT ? 0 : 1);
    int how = -1;
    waitpid(child, &how, 0);
    CHECK_INT(how, 0);
    sw_db_close(db);
    CHECK_OK(open_in(&second, dir), error); /* the lock went with its holder */
    sw_db_close(second);
    scratch_remove(dir);
}

static void run_sql(const char *dir, const char *sql) {
    sqlite3 *sqlite;
    CHECK_INT(sqlite3_open(scratch_path(dir, "slipway.db"), &sqlite), SQLITE_OK);
    CHECK_INT(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sqlite);
}

TEST(open__refuses_a_database_of_a_newer_version) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    sw_db_close(db);
    run_sql(dir, "INSERT INTO schema_migrations VALUES (4711, 'later', 0)");
    CHECK_INT(open_in(&db, dir).code, SW_CODE_CONFLICT);
    CHECK_HAS(error.text, "made by a newer slipway: its schema is number 4711");
    run_sql(dir, "DELETE FROM schema_migrations WHERE number = 4711");
    CHECK_OK(open_in(&db, dir), error);
    sw_db_close(db);
    scratch_remove(dir);
}

TEST(open__refuses_what_is_not_its_own) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    scratch_make(dir);
    run_sql(dir, "CREATE TABLE recipes (name TEXT)");
    CHECK_INT(open_in(&db, dir).code, SW_CODE_CONFLICT);
    CHECK_HAS(error.text, "is a database of another program");
    FILE *file = fopen(scratch_path(dir, "slipway.db"), "w");
    for (int i = 0; file && i < 300; i++)
        fputs("no database at all ", file);
    if (file)
        fclose(file);
    CHECK_INT(open_in(&db, dir).code, SW_CODE_IO);
    CHECK_HAS(error.text, "is not a database");
    scratch_remove(dir);
}

TEST(open__names_what_is_in_the_way) {
    char dir[SCRATCH_BYTES];
    sw_db *db = NULL;
    scratch_make(dir);
    FILE *file = fopen(scratch_path(dir, "data"), "w");
    if (file)
        fclose(file);
    CHECK(sw_failed(sw_db_open(&db, scratch_path(dir, "data/slipway.db"), &error)));
    CHECK_HAS(error.text, "/data");
    mkdir(scratch_path(dir, "slipway.db"), 0700);
    CHECK_INT(open_in(&db, dir).code, SW_CODE_IO);
    CHECK_HAS(error.text, "/slipway.db: Is a directory");
    scratch_remove(dir);
}

/* Makes the database one that the program of the first `steps` migrations has left. */
static void go_back_to(const char *dir, size_t steps) {
    sqlite3 *sqlite;
    sqlite3_stmt *tables;
    sw_buf drop = {0};
    CHECK_INT(sqlite3_open(scratch_path(dir, "slipway.db"), &sqlite), SQLITE_OK);
    CHECK_INT(sqlite3_prepare_v2(sqlite,
                                 "SELECT name FROM sqlite_master WHERE type = 'table'"
                                 " AND name <> 'schema_migrations'",
                                 -1, &tables, NULL),
              SQLITE_OK);
    while (sqlite3_step(tables) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(tables, 0);
        char made[128];
        snprintf(made, sizeof made, "CREATE TABLE %s ", name);
        bool is_first = strstr(sw_migrations[0].sql, made) != NULL;
        if (!is_first && strncmp(name, "sqlite_", 7) != 0)
            sw_buf_printf(&drop, "DROP TABLE %s;", name);
    }
    sqlite3_finalize(tables);
    if (steps < 3)
        sw_buf_add_lit(&drop, "ALTER TABLE revisions DROP COLUMN served_by;"
                              "ALTER TABLE revisions DROP COLUMN served_why;");
    for (size_t i = 1; i < steps; i++)
        sw_buf_printf(&drop, "%s", sw_migrations[i].sql);
    sw_buf_printf(&drop, "DELETE FROM schema_migrations WHERE number > %d;", (int)steps);
    CHECK_INT(sqlite3_exec(sqlite, drop.at, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sqlite);
    sw_buf_free(&drop);
}

TEST(migrations__bring_an_older_database_up_to_date) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    CHECK_OK(put_one(db, "kept", 5), error);
    sw_db_close(db);
    go_back_to(dir, 1);
    REQUIRE_OK(open_in(&db, dir), error);
    CHECK_INT(sum_of(db).total, 5);
    sw_db_close(db);
    run_sql(dir, "SELECT rows, counts FROM watch_windows");
    scratch_remove(dir);
}

TEST(migrations__minutes_of_the_watch_become_windows) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    sw_db_close(db);
    go_back_to(dir, 2);
    run_sql(dir,
            "INSERT INTO watch_minutes VALUES ('default', 'm', 1, 'h', 77, '', 'b', 9, x'01')");
    REQUIRE_OK(open_in(&db, dir), error);
    sw_db_close(db);
    /* A NULL, which the table refuses, where the row is not what it should be. */
    run_sql(dir, "CREATE TABLE proof (x BIGINT NOT NULL);"
                 "INSERT INTO proof SELECT CASE WHEN COUNT(*) = 1 THEN 1 END FROM watch_windows"
                 " WHERE model = 'm' AND segment = '' AND step = 1 AND start_minute = 77"
                 " AND boot = 'b' AND rows = 9 AND counts = x'01'");
    scratch_remove(dir);
}

TEST(migration__that_fails_leaves_the_database_as_it_was) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    sw_db_close(db);
    go_back_to(dir, 1);
    /* The table of the second step is in the way. */
    run_sql(dir, "CREATE TABLE watch_minutes (x BIGINT)");
    CHECK(sw_failed(open_in(&db, dir)));
    CHECK_HAS(error.text, "migration 2 (watch)");
    run_sql(dir, "DROP TABLE watch_minutes");
    CHECK_OK(open_in(&db, dir), error);
    sw_db_close(db);
    scratch_remove(dir);
}

/* ---- Many at once ---- */

enum { THREADS = 8, WRITES_EACH = 100 };

static void *write_many(void *context) {
    caller *c = context;
    for (int i = 0; i < WRITES_EACH && !sw_failed(c->status); i++) {
        char name[32];
        snprintf(name, sizeof name, "%d-%d", c->number, i);
        c->p = (put){name, 1, SW_CODE_OK};
        c->status = sw_db_write(c->db, do_put, &c->p, &c->why);
        sum s;
        if (i % 10 == 0 && !sw_failed(c->status))
            c->status = sw_db_read(c->db, do_sum, &s, &c->why);
    }
    return NULL;
}

static double write_with(sw_db *db, int threads) {
    caller callers[THREADS];
    uint64_t began = sw_clock_ns();
    for (int i = 0; i < threads; i++) {
        callers[i] = (caller){.db = db, .number = threads * 100 + i};
        pthread_create(&callers[i].thread, NULL, write_many, &callers[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(callers[i].thread, NULL);
        CHECK_OK(callers[i].status, callers[i].why);
    }
    double seconds = (double)(sw_clock_ns() - began) / 1e9;
    return threads * WRITES_EACH / seconds;
}

TEST(group_commit__makes_many_writers_faster_than_one) {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    uint64_t writes, commits, writes1, commits1;
    scratch_make(dir);
    REQUIRE_OK(open_in(&db, dir), error);
    double one = write_with(db, 1);
    sw_db_counts(db, &writes1, &commits1);
    double many = write_with(db, THREADS);
    sw_db_counts(db, &writes, &commits);
    printf("durable writes/s: %.0f with 1 thread, %.0f with %d (%.1f a commit)\n", one, many,
           THREADS, (double)(writes - writes1) / (double)(commits - commits1));
    CHECK_INT(commits1, writes1);
    CHECK(commits - commits1 < writes - writes1);
    CHECK_INT(sum_of(db).rows, (THREADS + 1) * WRITES_EACH);
    sw_db_close(db);
    scratch_remove(dir);
}

TEST_MAIN
